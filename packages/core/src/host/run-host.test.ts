import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../kernel/clock.ts'
import { until } from '../testing/until.ts'
import { createKeyPair, Signer } from '../wire/credentials.ts'

const modules = {
  access: '../contract/access.js',
  contract: '../contract/contract.js',
  operation: '../contract/operation.js',
  schema: '../contract/schema.js',
  definition: '../service/definition.js',
  runHost: './run-host.js',
}
const at = (name: keyof typeof modules): string =>
  JSON.stringify(new URL(modules[name], import.meta.url).href)

/** A service that takes a moment to open, and does on demand what a program must not. */
const PROGRAM = `
import { anyone } from ${at('access')}
import { defineContract } from ${at('contract')}
import { command } from ${at('operation')}
import { Nothing } from ${at('schema')}
import { defineService } from ${at('definition')}
import { run } from ${at('runHost')}
const spec = { summary: 'Does it.', access: anyone, idempotency: 'natural', output: Nothing }
const contract = defineContract({ name: 'desk', version: 1, summary: 'Misbehaves.',
  operations: { hold: command(spec), reject: command(spec), crash: command(spec) } })
let isOpen = false
let isTold = false
process.on('message', ({ kind }) => { if (kind === 'open') isTold = true })
const desk = defineService({ contract, async open({ clock, log }) {
  log.info('opening', { isTold })
  await clock.sleep(300)
  isOpen = true
  return {
    async hold(_, ctx) { log.info('holding'); await ctx.clock.sleep(1_500); return {} },
    reject() { void Promise.reject(new Error('nobody catches this')); return {} },
    crash() { setImmediate(() => { throw new Error('nobody catches this') }); return {} },
  }
} })
const send = process.send
process.send = (message, ...rest) => send.call(process, { ...message, isOpen }, ...rest)
await run({ name: 'test', folder: '.', services: { desk: async () => { console.log('loading'); return desk } } })
`

/** A host process that is ready; told to open when it has loaded its services, if it is held. */
async function openProcess(t: TestContext, isHeld = false) {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-'))
  const program = join(folder, 'program.mjs')
  writeFileSync(program, PROGRAM)
  const { publicKey, privateKey } = createKeyPair()
  const claims = { instance: 'desk-1', services: ['desk'], expiresAt: systemClock.now() + 60_000 }
  const child = fork(program, [], {
    silent: true,
    env: {
      FLOTILLA_SERVICES: 'desk',
      FLOTILLA_INSTANCE: 'desk-1',
      FLOTILLA_FRAMES: `unix:${join(folder, 'desk.sock')}`,
      FLOTILLA_PROCESS_KEY: publicKey,
      FLOTILLA_USER_KEY: publicKey,
      FLOTILLA_CREDENTIAL: new Signer(privateKey).process(claims),
      FLOTILLA_DRAIN_DELAY_MS: '50',
      FLOTILLA_IS_HELD: String(isHeld),
    },
  })
  const state = { child, lines: '', exit: undefined as number | null | undefined }
  const keep = (chunk: Buffer): void => {
    state.lines += chunk.toString()
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  child.on('exit', (code) => {
    state.exit = code
  })
  t.after(async () => {
    await endOf(child)
    rmSync(folder, { recursive: true, force: true })
  })
  if (isHeld) {
    await until('it loads', () => state.lines.includes('loading'))
    child.send({ kind: 'open' })
  }
  const [ready] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [undefined])])
  assert.ok(ready, state.lines)
  assert.deepEqual([ready.kind, ready.isOpen], ['ready', true])
  const post = (operation: string): Promise<Response> =>
    fetch(`${ready.http}/operations/desk.${operation}`, { method: 'POST' })
  assert.equal((await fetch(`${ready.http}/health/ready`)).status, 200)
  return Object.assign(state, { post })
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

type Opened = Awaited<ReturnType<typeof openProcess>>

async function exitOf(opened: Opened): Promise<number | null> {
  await until('it has left', async () => opened.exit !== undefined)
  return opened.exit ?? null
}

describe('run', () => {
  it('drains at SIGTERM and exits 0', async (t) => {
    const opened = await openProcess(t)
    const held = opened.post('hold')
    await until('a call is in its handler', async () => opened.lines.includes('holding'))
    opened.child.kill('SIGTERM')
    assert.equal((await held).status, 200)
    assert.equal(await exitOf(opened), 0)
  })

  it('loads, but opens nothing before it is told to, while it is held', async (t) => {
    assert.match((await openProcess(t, true)).lines, /loading.*"isTold":true/s)
    assert.match((await openProcess(t)).lines, /"isTold":false/)
  })

  it('gives up at the second SIGTERM', async (t) => {
    const opened = await openProcess(t)
    const held = assert.rejects(opened.post('hold'))
    await until('a call is in its handler', async () => opened.lines.includes('holding'))
    opened.child.kill('SIGTERM')
    await until('it is leaving', async () => opened.lines.includes('leaving'))
    opened.child.kill('SIGTERM')
    assert.equal(await exitOf(opened), 1)
    await held
  })

  it('logs one line and exits when nobody caught an error', async (t) => {
    for (const operation of ['reject', 'crash']) {
      const opened = await openProcess(t)
      // The answer and the end of the process are not in any order.
      await opened.post(operation).catch(() => undefined)
      assert.equal(await exitOf(opened), 70)
      const crashes = opened.lines.split('\n').filter((line) => line.includes('nobody catches this'))
      assert.equal(crashes.length, 1, opened.lines)
      assert.match(crashes[0] ?? '', /"message":"crashed"/)
    }
  })

  it('leaves by itself when its supervisor is gone', async (t) => {
    const opened = await openProcess(t)
    opened.child.disconnect()
    assert.equal(await exitOf(opened), 0)
  })
})
