import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { noWishes, readWishes } from './wishes.ts'

describe('readWishes', () => {
  it('reads what a cache may be asked for', () => {
    assert.equal(readWishes(undefined), noWishes)
    assert.deepEqual(readWishes('max-stale=60, min-fresh=3, no-transform'), noWishes)
    assert.equal(readWishes('Max-Age=5').ageMsMax, 5_000)
    assert.equal(readWishes('max-age="5", max-age=9').ageMsMax, 5_000)
    assert.deepEqual(readWishes(' no-store ,only-if-cached'), {
      ...noWishes,
      isStoreRefused: true,
      isOnlyIfKept: true,
    })
    for (const odd of [
      'max-age=-1',
      'max-age=x',
      'max-age',
      'nocache',
      '',
      ',',
      `${'x'.repeat(501)}, no-cache`,
    ])
      assert.deepEqual(readWishes(odd), noWishes, odd)
  })

  it('lets nobody ask for what is newer than a second', () => {
    for (const wish of ['no-cache', 'max-age=0', 'no-cache, max-age=0, no-store'])
      assert.equal(readWishes(wish).ageMsMax, 1_000)
    const directive = fc.oneof(
      fc.constantFrom('no-cache', 'no-store', 'only-if-cached', 'max-age=0'),
      fc.nat().map((seconds) => `max-age=${seconds}`),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(directive), (directives) => {
        assert.ok(readWishes(directives.join(',')).ageMsMax >= 1_000)
      }),
    )
  })
})
