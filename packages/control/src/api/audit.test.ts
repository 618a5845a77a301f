import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { FlotillaError } from '@flotilla/core/error'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import { makeDataFolder } from '../testing/test-data-folder.ts'
import { Audit } from './audit.ts'

const entry = { by: 'console', operation: 'control.scale', input: { instances: 2 } }

describe('Audit', () => {
  it('keeps what was done and what was refused over a restart, and no word of a line that a crash cut', async (t) => {
    const path = join(makeDataFolder(t).path, 'audit.jsonl')
    const audit = new Audit({ path, clock: new VirtualClock(0) })
    assert.equal(await audit.record(entry, () => 5), 5)
    const refused = new FlotillaError('not_found', 'No.')
    await assert.rejects(
      audit.record(entry, () => Promise.reject(refused)),
      refused,
    )
    appendFileSync(path, '{"at":"19')
    const again = new Audit({ path, clock: new VirtualClock(0) })
    assert.deepEqual(again.latest, audit.latest)
    assert.deepEqual(
      again.latest.map(({ outcome }) => outcome),
      ['not_found: No.', 'begun', 'done', 'begun'],
    )
    assert.equal(again.latest[0]?.at, '1970-01-01T00:00:00.000Z')
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  it('begins nothing that cannot be written down', async (t) => {
    const audit = new Audit({
      path: join(makeDataFolder(t).path, 'no', 'folder'),
      clock: new VirtualClock(0),
    })
    await assert.rejects(
      audit.record(entry, () => assert.fail('it was begun')),
      { code: 'ENOENT' },
    )
  })

  it('shows the last 500 and keeps all', async (t) => {
    const path = join(makeDataFolder(t).path, 'audit.jsonl')
    const audit = new Audit({ path, clock: new VirtualClock(0) })
    for (let input = 0; input < 300; input++) await audit.record({ ...entry, input }, () => {})
    for (const shown of [audit.latest, new Audit({ path, clock: new VirtualClock(0) }).latest]) {
      assert.equal(shown.length, 500)
      assert.equal(shown[0]?.input, 299)
      assert.equal(shown.at(-1)?.input, 50)
    }
    assert.equal(readFileSync(path, 'utf8').trimEnd().split('\n').length, 600)
  })

  it('begins a long file anew, and shows also what stands in the one before', async (t) => {
    const path = join(makeDataFolder(t).path, 'audit.jsonl')
    const options = { path, clock: new VirtualClock(0), bytesMax: 2_000 }
    const audit = new Audit(options)
    for (let input = 0; input < 100; input++) {
      await audit.record({ ...entry, input }, () => {})
      assert.ok(statSync(path).size < 2_200)
    }
    const [shown] = [new Audit(options).latest]
    assert.ok(shown.length > 15 && shown.length < 50)
    assert.deepEqual(shown, audit.latest.slice(0, shown.length))
  })

  it('writes down neither secrets nor more than 2,000 characters of what was asked', async (t) => {
    const path = join(makeDataFolder(t).path, 'audit.jsonl')
    const audit = new Audit({ path, clock: new VirtualClock(0), sensitive: ['pin'] })
    const input = { name: 'Ada', pin: '1234', inner: [{ password: 'mine' }] }
    await audit.record({ ...entry, input }, () => {})
    await audit.record({ ...entry, input: 'x'.repeat(1_000_000) }, () => {})
    assert.doesNotMatch(readFileSync(path, 'utf8'), /1234|mine/)
    assert.deepEqual(audit.latest[2]?.input, {
      name: 'Ada',
      pin: '[redacted]',
      inner: [{ password: '[redacted]' }],
    })
    assert.equal(String(audit.latest[0]?.input).length, 2_001)
    assert.ok(statSync(path).size < 6_000)
  })
})
