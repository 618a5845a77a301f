import assert from 'node:assert/strict'
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import fc from 'fast-check'
import { LogTail } from './log-tail.ts'

interface World {
  readonly path: string
  /** Messages that were taken, in order. */
  readonly taken: string[]
  open(): Promise<LogTail>
  write(...messages: readonly string[]): void
  remove(): void
}

function makeWorld(): World {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-tail-'))
  const path = join(folder, 'orders-1.log')
  const taken: string[] = []
  return {
    path,
    taken,
    open: () =>
      LogTail.open({
        files: () => [{ process: 'orders-1', path }],
        placesPath: join(folder, 'places.json'),
        clock: systemClock,
        take: (lines) => taken.push(...lines.map(({ message }) => message)),
        flush: () => Promise.resolve(),
      }),
    write: (...messages) =>
      appendFileSync(path, messages.map((message) => `${JSON.stringify({ message })}\n`).join('')),
    remove: () => rmSync(folder, { recursive: true }),
  }
}

/** As the supervisor does with a long file. */
function rotate({ path }: World): void {
  copyFileSync(path, `${path}.1`)
  truncateSync(path)
}

describe('LogTail', () => {
  it('takes every line once and in order, over restarts and rotations, whenever it looks', async () => {
    type Deed = 'write' | 'rotate' | 'poll' | 'restart'
    const deeds = fc.array(fc.constantFrom<Deed>('write', 'write', 'poll', 'restart', 'rotate'), {
      maxLength: 14,
      size: 'max',
    })
    await fc.assert(
      fc.asyncProperty(deeds, async (all) => {
        const world = makeWorld()
        const written: string[] = []
        let tail = await world.open()
        // There is one older generation: who does not look between two rotations misses what is before.
        let rotations = 0
        for (const [index, deed] of [...all, 'poll'].entries()) {
          if (deed === 'write') {
            written.push(`line ${index}`, `more ${index}`)
            world.write(`line ${index}`, `more ${index}`)
          } else if (deed === 'rotate' && rotations === 0 && written.length > 0) {
            rotate(world)
            rotations++
          } else if (deed === 'restart') tail = await world.open()
          else if (deed === 'poll') {
            await tail.poll()
            rotations = 0
          }
        }
        const lines = world.taken.filter((message) => message.trim() !== '')
        world.remove()
        assert.deepEqual(lines, written)
      }),
      { numRuns: 40 },
    )
  })

  it('leaves a file alone to which nobody wrote, and reads on as soon as somebody has', async (t) => {
    const world = makeWorld()
    t.after(world.remove)
    const looks: number[] = []
    let sinceMs = 10_000
    const tail = await LogTail.open({
      files: () => [{ process: 'orders-1', path: world.path }],
      placesPath: `${world.path}.places`,
      clock: { ...systemClock, now: () => Date.now() + sinceMs },
      take: (lines) => looks.push(lines.length),
      flush: () => Promise.resolve(),
    })
    world.write('one', 'two')
    for (let look = 0; look < 3; look++) await tail.poll()
    world.write('three')
    await tail.poll()
    await tail.poll()
    rotate(world)
    world.write('a line that is longer than those before')
    await tail.poll()
    assert.deepEqual(looks, [2, 1, 0, 1])
    sinceMs = 0
    world.write('just now')
    await tail.poll()
    await tail.poll()
    assert.deepEqual(looks.slice(4), [1, 0], 'what was written just now may be other than it looks')
  })

  it('waits for the end of a line, and cuts one that has none', async (t) => {
    const world = makeWorld()
    t.after(world.remove)
    const tail = await world.open()
    writeFileSync(world.path, '{"message":"fir')
    await tail.poll()
    assert.deepEqual(world.taken, [])
    appendFileSync(world.path, 'st"}\n')
    await tail.poll()
    assert.deepEqual(world.taken.splice(0), ['first'])
    appendFileSync(world.path, 'x'.repeat(600 * 1024))
    await tail.poll()
    assert.deepEqual(
      world.taken.map(({ length }) => length),
      [512 * 1024],
    )
  })

  it('reads the others when one cannot be read, and says so', async (t) => {
    const world = makeWorld()
    t.after(world.remove)
    const folder = `${world.path}.folder`
    mkdirSync(folder)
    const open = (): Promise<LogTail> =>
      LogTail.open({
        files: () => [folder, world.path].map((path) => ({ process: 'orders-1', path })),
        placesPath: `${world.path}.places`,
        clock: systemClock,
        take: (lines) => world.taken.push(...lines.map(({ message }) => message)),
        flush: () => Promise.resolve(),
      })
    world.write('one')
    await assert.rejects((await open()).poll(), /EISDIR/)
    world.write('two')
    // Another process goes on where that was.
    await assert.rejects((await open()).poll(), /EISDIR/)
    assert.deepEqual(world.taken, ['one', 'two'])
  })

  it('takes nothing twice that could not be written', async (t) => {
    const world = makeWorld()
    t.after(world.remove)
    let isBroken = true
    const tail = await LogTail.open({
      files: () => [{ process: 'orders-1', path: world.path }],
      placesPath: `${world.path}.places`,
      clock: systemClock,
      take: (lines) => world.taken.push(...lines.map(({ message }) => message)),
      flush: () => (isBroken ? Promise.reject(new Error('disk full')) : Promise.resolve()),
    })
    world.write('one')
    await assert.rejects(tail.poll(), /disk full/)
    await assert.rejects(tail.poll(), /disk full/)
    isBroken = false
    world.write('two')
    await tail.poll()
    assert.deepEqual(world.taken, ['one', 'two'])
  })

  it('goes on at the beginning of a file that somebody made anew, and without one', async (t) => {
    const world = makeWorld()
    t.after(world.remove)
    const tail = await world.open()
    await tail.poll()
    world.write('a long first line that fills what is remembered of a file', 'b')
    await tail.poll()
    truncateSync(world.path)
    world.write('c')
    await tail.poll()
    assert.deepEqual(world.taken.slice(1), ['b', 'c'])
  })
})
