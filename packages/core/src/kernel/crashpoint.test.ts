import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type CrashFault, crashpoint, isReplyToLose, setCrashpoints } from './crashpoint.ts'

const name = 'saga.after-step@checkout.capture'

interface Bed {
  readonly folder: string
  readonly arm: (fault: CrashFault) => void
  readonly isArmed: () => boolean
  readonly hit: () => Readonly<Record<string, unknown>>
}

function makeBed(t: TestContext): Bed {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-crashpoint-'))
  for (const part of ['armed', 'hit']) mkdirSync(join(folder, part))
  t.after(() => {
    setCrashpoints(undefined)
    rmSync(folder, { recursive: true })
  })
  return {
    folder,
    arm: (fault) => writeFileSync(join(folder, 'armed', name), fault),
    isArmed: () => existsSync(join(folder, 'armed', name)),
    hit: () => JSON.parse(readFileSync(join(folder, 'hit', name), 'utf8')) as Record<string, unknown>,
  }
}

/** Passes the point in a process of its own; how that ends. */
function passElsewhere({ folder }: Bed): Promise<string> {
  const url = import.meta.url.replace('.test.js', '.js')
  const program = `
    const { crashpoint, setCrashpoints } = await import(${JSON.stringify(url)})
    setCrashpoints(${JSON.stringify(folder)})
    crashpoint('saga.after-step', 'checkout', 'capture')
    console.log('alive')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program])
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  return new Promise((resolve) => child.once('close', (_, signal) => resolve(signal ?? output.trim())))
}

describe('crashpoint', () => {
  it('does nothing in a process that was not told to, whatever is armed', (t) => {
    const bed = makeBed(t)
    bed.arm('fail')
    crashpoint('saga.after-step', 'checkout', 'capture')
    assert.equal(bed.isArmed(), true)
  })

  it('kills the process that comes first, and none after it', async (t) => {
    const bed = makeBed(t)
    assert.equal(await passElsewhere(bed), 'alive')
    bed.arm('kill')
    assert.equal(await passElsewhere(bed), 'SIGKILL')
    assert.equal(bed.hit()['fault'], 'kill')
    assert.equal(bed.isArmed(), false)
    assert.equal(await passElsewhere(bed), 'alive')
  })

  it('fails as long as it is armed, at its own place only', (t) => {
    const bed = makeBed(t)
    setCrashpoints(bed.folder)
    bed.arm('fail')
    crashpoint('saga.after-step', 'checkout', 'confirm')
    crashpoint('saga.before-step', 'checkout', 'capture')
    for (let turn = 0; turn < 2; turn++) {
      assert.throws(() => crashpoint('saga.after-step', 'checkout', 'capture'), { code: 'internal' })
    }
    rmSync(join(bed.folder, 'armed', name))
    crashpoint('saga.after-step', 'checkout', 'capture')
  })

  it('has one reply lost: that of the next write', (t) => {
    const bed = makeBed(t)
    setCrashpoints(bed.folder)
    assert.equal(isReplyToLose('commit'), false)
    bed.arm('lose')
    crashpoint('saga.after-step', 'checkout', 'capture')
    const others = ['select 1', '\n with a as (select 1) select from a', 'insert into flotilla.worker (id)']
    for (const statement of others) assert.equal(isReplyToLose(statement), false)
    assert.equal(bed.hit()['lost'], undefined)
    assert.equal(isReplyToLose('\n with moved as (update flotilla.saga set step = 1)'), true)
    assert.match(String(bed.hit()['lost']), /update flotilla\.saga/)
    assert.equal(isReplyToLose('commit'), false)
  })
})
