/** The soak in short: customers buy while processes are killed, and the oracle finds everything as it must be. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatReport } from './oracle/report.ts'
import { countKills, soak } from './soak/soak.ts'

describe('soak', () => {
  it('without kills, monolith', async (t) => {
    const { report, tally, latency } = await soak(t, {
      placement: 'monolith',
      provider: 'instant',
      orders: 16,
      kills: 0,
      seed: 1,
      concurrency: 8,
    })
    t.diagnostic(`${tally.orders.orders} orders, p50 ${latency.p50Ms} ms`)
    assert.ok(report.isGood, formatReport(report))
  })

  it('with kills, fleet', async (t) => {
    const { report, tally, done } = await soak(t, {
      placement: 'fleet',
      provider: 'realistic',
      orders: 30,
      kills: 3,
      seed: 2,
      concurrency: 8,
    })
    t.diagnostic(`${tally.orders.orders} orders; ${countKills(done)}`)
    assert.ok(report.isGood, formatReport(report))
  })
})
