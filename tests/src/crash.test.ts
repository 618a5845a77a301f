/** Some of the crash points of `npm run test:crash`; and that its table has them all. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type CrashFault, crashPoints } from '@flotilla/core/crashpoint'
import { crash, lineOf } from './crash/crash.ts'
import { places } from './crash/places.ts'
import { formatReport } from './oracle/report.ts'

const chosen: readonly (readonly [CrashFault, string])[] = [
  ['kill', 'saga.after-step@checkout.authorise'],
  ['lose', 'saga.before-save@checkout.confirm'],
  ['stop', 'saga.after-step@checkout.capture'],
  ['kill', 'outside.after-call@payments.capture'],
  ['lose', 'command.before-commit@provider.authorise'],
  ['kill', 'relay.after-append@orders'],
  ['kill', 'group.before-commit@shipping'],
  ['kill', 'command.after-commit@orders.place'],
  ['lose', 'log.before-append@events'],
  ['kill', 'command.before-commit@inventory.release'],
]

describe('crash points', () => {
  it('are all in the table of places', () => {
    const passed = new Set(places.map(({ name }) => name.split('@')[0]))
    assert.deepEqual([...passed].sort(), Object.keys(crashPoints).sort())
    assert.equal(new Set(places.map(({ name }) => name)).size, places.length)
  })

  it('do no harm, fleet', async (t) => {
    const cells = chosen.map(([fault, name]) => {
      const place = places.find((one) => one.name === name)
      assert.ok(place, name)
      return { place, fault }
    })
    const crashed = await crash(t, { cells, actors: 3, stopMs: 4_000, isComplete: false })
    for (const result of crashed.results) t.diagnostic(lineOf(result))
    assert.deepEqual(crashed.results.filter(({ violation }) => violation !== undefined).map(lineOf), [])
    assert.deepEqual(crashed.unsettled, [])
    assert.ok(crashed.report.isGood, formatReport(crashed.report))
  })
})
