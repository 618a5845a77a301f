import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { seededRandom } from '@flotilla/core/random'
import { until } from '@flotilla/core/until'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import { LogFile } from './log-file.ts'
import { type Message, ProcessSlot, type SlotState } from './process-slot.ts'

const READY = `process.send({ kind: 'ready', http: 'http://127.0.0.1:1' });`
const STAY = `setInterval(() => {}, 1_000);`

interface Bed {
  readonly slot: ProcessSlot
  readonly clock: VirtualClock
  readonly states: SlotState[]
  readonly log: () => string
}

/** A slot whose processes run `program`, on a clock that stands still. */
function makeSlot(
  t: TestContext,
  program: string | ((attempt: number) => string),
  onMessage?: (message: Message, reply: (answer: Message) => void) => void,
): Bed {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-slot-'))
  const clock = new VirtualClock()
  const log = new LogFile(join(folder, 'test-1.log'))
  const states: SlotState[] = []
  const slot = new ProcessSlot({
    name: 'test-1',
    host: 'test',
    clock,
    random: seededRandom(1),
    log,
    command: (attempt) => ({
      program: process.execPath,
      args: ['-e', typeof program === 'string' ? program : program(attempt)],
      environment: { ATTEMPT: String(attempt) },
      instance: `test-1-${attempt}`,
    }),
    onChange: ({ state }) => states.push(state),
    ...(onMessage === undefined ? {} : { onMessage }),
  })
  t.after(async () => {
    const ended = slot.stop(0)
    await clock.advance(0)
    await ended
    log.close()
    rmSync(folder, { recursive: true })
  })
  return { slot, clock, states, log: () => readFileSync(log.path, 'utf8') }
}

const becomes = (slot: ProcessSlot, state: SlotState): Promise<void> =>
  until(`the slot is ${state}`, () => slot.state === state)

describe('ProcessSlot', () => {
  it('starts a process that says when it is ready, with its environment and nothing of ours, and its output in the file', async (t) => {
    const program = `console.log(Object.keys(process.env).sort().join()); console.error('to stderr'); ${READY} ${STAY}`
    const { slot, states, log } = makeSlot(t, program)
    assert.equal(slot.state, 'stopped')
    slot.start()
    assert.equal(slot.state, 'starting')
    await slot.whenReady()
    assert.deepEqual(states, ['starting', 'ready'])
    assert.equal(slot.http, 'http://127.0.0.1:1')
    assert.equal(slot.instance, 'test-1-1')
    await until('the output is in the file', () => log().includes('to stderr'))
    assert.match(log(), /^ATTEMPT\b/)
    assert.doesNotMatch(log(), /PATH/)
    const pid = slot.pid as number
    await slot.stop(1_000)
    assert.deepEqual(states, ['starting', 'ready', 'stopping', 'stopped'])
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
    assert.equal(slot.lastEnd, undefined)
  })

  it('starts another when it ends by itself: at once first, then after a wait', async (t) => {
    const { slot, clock } = makeSlot(t, READY + STAY)
    slot.start()
    for (const attempt of [1, 2]) {
      await becomes(slot, 'ready')
      assert.equal(slot.instance, `test-1-${attempt}`)
      assert.equal(slot.starts, attempt)
      process.kill(slot.pid as number, 'SIGKILL')
      await becomes(slot, 'waiting')
      assert.equal(slot.lastEnd, 'SIGKILL after 0.0 s')
      assert.equal(slot.pid, undefined)
      if (attempt === 1) await clock.advance(0)
    }
    await clock.advance(49)
    assert.equal(slot.state, 'waiting')
    await clock.advance(51)
    assert.equal(slot.http, '', 'the address of the one before is nobody’s')
    await becomes(slot, 'ready')
    assert.equal(slot.starts, 3)
  })

  it('waits longer and longer for one that cannot start, and calls it a loop', async (t) => {
    const { slot, clock } = makeSlot(t, (attempt) => (attempt <= 5 ? 'process.exit(78)' : READY + STAY))
    slot.start()
    const ready = slot.whenReady()
    for (let end = 1; end <= 5; end++) {
      assert.equal(slot.isLooping, false)
      await becomes(slot, 'waiting')
      assert.match(slot.lastEnd ?? '', /^exit code 78 after/)
      if (end < 5) await clock.advance(1_000)
    }
    assert.equal(slot.isLooping, true)
    await clock.advance(1_000)
    await ready
    await clock.advance(180_000)
    assert.equal(slot.isLooping, false)
  })

  it('kills one that is not ready within 30 s, and does not forgive it: a loop, too', async (t) => {
    const { slot, clock, states } = makeSlot(t, STAY)
    slot.start()
    for (let end = 1; end <= 5; end++) {
      assert.equal(slot.isLooping, false)
      await clock.advance(30_000)
      await until('it ended', () => states.filter((state) => state === 'waiting').length === end)
      assert.match(slot.lastEnd ?? '', /^SIGKILL after 3/)
      await clock.advance(0)
      assert.equal(slot.state, end === 1 ? 'starting' : 'waiting')
      // No further than its start: its next end must not find time left over.
      while (end < 5 && slot.state === 'waiting') await clock.advance(1)
    }
    assert.equal(slot.isLooping, true)
  })

  it('goes on when the program cannot be run at all', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'flotilla-slot-'))
    const log = new LogFile(join(folder, 'test-1.log'))
    t.after(() => {
      log.close()
      rmSync(folder, { recursive: true })
    })
    const slot = new ProcessSlot({
      name: 'test-1',
      host: 'test',
      clock: new VirtualClock(),
      random: seededRandom(1),
      log,
      command: () => ({ program: join(folder, 'nothing'), args: [], environment: {}, instance: 'test-1-1' }),
      onChange: () => {},
    })
    slot.start()
    await becomes(slot, 'waiting')
    assert.match(slot.lastEnd ?? '', /ENOENT/)
    await slot.stop(0)
    assert.equal(slot.state, 'stopped')
  })

  it('kills one that does not end within its grace, and asks it once only', async (t) => {
    const program = `process.on('SIGTERM', () => console.log('asked')); ${READY} ${STAY}`
    const { slot, clock, log } = makeSlot(t, program)
    slot.start()
    await slot.whenReady()
    const pid = slot.pid as number
    const stopped = Promise.all([slot.stop(8_000), slot.stop(8_000)])
    assert.equal(clock.pending, 1)
    await until('it was asked', () => log().includes('asked'))
    await clock.advance(7_999)
    assert.equal(slot.state, 'stopping')
    process.kill(pid, 0)
    await clock.advance(1)
    await stopped
    assert.equal(slot.state, 'stopped')
    assert.equal(log(), 'asked\n')
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
    assert.equal(clock.pending, 0)
  })

  it('kills one that stands still, though it was well before, and starts another', async (t) => {
    const told = { kind: 'stats', cpuMs: 0, rssBytes: 7, inFlight: 0, loopDelayMs: 0 }
    const program = `${READY} setInterval(() => process.send(${JSON.stringify(told)}), 10)`
    const { slot, clock } = makeSlot(t, program)
    slot.start()
    await slot.whenReady()
    const tell = async (): Promise<void> => {
      slot.stats = undefined
      await until('it tells how it is', () => slot.stats !== undefined)
    }
    for (let second = 0; second < 20; second++) {
      await tell()
      await clock.advance(1_000)
    }
    assert.equal(slot.starts, 1)
    process.kill(slot.pid as number, 'SIGSTOP')
    // What it said before may still be on its way for a look or two.
    await until('it is killed', async () => {
      if (slot.lastEnd === undefined) await clock.advance(1_000)
      return slot.lastEnd !== undefined
    })
    assert.match(slot.lastEnd ?? '', /^killed, since it gave no sign of life for 5 s, after \d+\.0 s$/)
    await clock.advance(0)
    await becomes(slot, 'ready')
    assert.equal(slot.starts, 2)
  })

  it('blames nobody for the time in which the supervisor itself stood still', async (t) => {
    const program = `process.on('SIGTERM', () => { console.log('left'); process.exit() }); ${READY} ${STAY}`
    const { slot, clock, log } = makeSlot(t, program)
    slot.start()
    await slot.whenReady()
    // Minutes pass between two looks, as after a SIGSTOP of this process or a sleep of the machine.
    const { monotonicMs } = clock
    clock.monotonicMs = () => monotonicMs.call(clock) + 600_000
    await clock.advance(5_000)
    await slot.stop(8_000)
    assert.equal(log(), 'left\n', 'nobody killed it')
  })

  it('holds a process for as long as it takes, and gives it its time from when it may open; the next one is not held', async (t) => {
    const program = `console.log(process.env.FLOTILLA_IS_HELD ?? 'free')
      const isHeld = process.env.FLOTILLA_IS_HELD === 'true'
      if (isHeld) process.on('message', ({ kind }) => { if (kind === 'open') console.log('opens') })
      else ${READY} ${STAY}`
    const { slot, clock, log } = makeSlot(t, program)
    slot.load()
    await clock.advance(600_000)
    await until('it runs', () => log() === 'true\n')
    assert.equal(slot.state, 'starting')
    slot.open()
    await until('it opens', () => log() === 'true\nopens\n')
    await clock.advance(29_000)
    assert.equal(slot.state, 'starting')
    await clock.advance(1_000)
    await until('the next one is ready', async () => {
      await clock.advance(0)
      return slot.state === 'ready'
    })
    assert.match(slot.lastEnd ?? '', /^SIGKILL after 630\.0 s/)
    assert.match(log(), /opens\nfree\n$/)
  })

  it('stops while it waits, and lets nobody wait for ever', async (t) => {
    const { slot, clock } = makeSlot(t, 'process.exit(1)')
    slot.start()
    const ready = slot.whenReady()
    await becomes(slot, 'waiting')
    await slot.stop(8_000)
    await ready
    await clock.advance(60_000)
    assert.equal(slot.state, 'stopped')
    assert.equal(slot.starts, 1)
    assert.equal(clock.pending, 0)
  })

  it('tells how the process is, as a share of the time since the message before', async (t) => {
    const told = { kind: 'stats', cpuMs: 400, rssBytes: 7, inFlight: 3, loopDelayMs: 2 }
    const { slot, clock } = makeSlot(t, `${READY} process.send(${JSON.stringify(told)}); ${STAY}`)
    slot.start()
    await clock.advance(1_000)
    await until('it told', () => slot.stats !== undefined)
    assert.deepEqual(slot.stats, { cpuRatio: 0.4, rssBytes: 7, inFlight: 3, loopDelayMs: 2 })
    assert.equal(slot.uptimeMs, 1_000)
  })

  it('passes on what is no message of a host, and the answer to who said it, not to the one after', async (t) => {
    const program = (attempt: number) => `
      process.on('message', (told) => console.log(${attempt}, JSON.stringify(told)))
      ${READY} process.send({ kind: 'order', id: 1 }); ${STAY}`
    const replies: ((answer: Message) => void)[] = []
    const { slot, clock, log } = makeSlot(t, program, (message, reply) => {
      assert.deepEqual(message, { kind: 'order', id: 1 })
      replies.push(reply)
    })
    slot.start()
    // It listens later than that.
    slot.tell({ kind: 'state' })
    await until('it has ordered', () => replies.length === 1)
    await until('it has heard', () => log() === '1 {"kind":"state"}\n')
    process.kill(slot.pid as number, 'SIGKILL')
    await becomes(slot, 'waiting')
    await clock.advance(0)
    await until('the next one has ordered', () => replies.length === 2)
    replies[0]?.({ kind: 'late' })
    replies[1]?.({ kind: 'done' })
    await until('it has heard', () => log().endsWith('2 {"kind":"done"}\n'))
    assert.doesNotMatch(log(), /late/)
  })

  it('closes the channel when the supervisor is killed, so that its processes leave', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'flotilla-slot-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'test-1.log')
    const child = `process.on('disconnect', () => { console.log('left'); process.exit() }); console.log(process.pid); ${STAY}`
    const supervisor = spawn(
      process.execPath,
      ['--input-type=module', '-e', supervisorProgram(path, child)],
      {
        stdio: 'ignore',
      },
    )
    t.after(() => supervisor.kill('SIGKILL'))
    const read = (): string => (existsSync(path) ? readFileSync(path, 'utf8') : '')
    await until('its process runs', () => read().endsWith('\n'))
    const pid = Number(read())
    t.after(() => {
      if (!read().includes('left')) process.kill(pid, 'SIGKILL')
    })
    supervisor.kill('SIGKILL')
    await until('its process left', () => read().includes('left'))
  })
})

/** The program of a process that keeps one slot. */
function supervisorProgram(path: string, child: string): string {
  const built = (name: string): string => JSON.stringify(new URL(`./${name}.js`, import.meta.url).href)
  const core = (name: string): string => JSON.stringify(import.meta.resolve(`@flotilla/core/${name}`))
  return `
    import { systemClock } from ${core('clock')}
    import { systemRandom } from ${core('random')}
    import { LogFile } from ${built('log-file')}
    import { ProcessSlot } from ${built('process-slot')}
    new ProcessSlot({
      name: 'test-1', host: 'test', clock: systemClock, random: systemRandom, log: new LogFile(${JSON.stringify(path)}),
      command: () => ({ program: process.execPath, args: ['-e', ${JSON.stringify(child)}], environment: {}, instance: 'test-1-1' }),
      onChange() {},
    }).start()`
}
