import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Metrics } from './metrics.ts'
import { OutsideRequests } from './outside-requests.ts'

const seriesOf = (metrics: Metrics, name: string): string[] =>
  metrics
    .toPrometheus()
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`))

describe('OutsideRequests', () => {
  it('counts by who asked, whom, and what came of it', () => {
    const metrics = new Metrics()
    const requests = new OutsideRequests(metrics, new Map([['127.0.0.1:8070', 'provider']]))
    const provider = requests.peer('payments', '127.0.0.1:8070')
    assert.equal(requests.peer('payments', '127.0.0.1:8070'), provider)
    for (const code of ['ok', 'ok', 'unavailable'] as const) {
      provider.begin()
      provider.end(code, 40)
    }
    provider.begin()
    requests.peer('gateway', 'legacy.example:81').begin()
    assert.deepEqual(seriesOf(metrics, 'flotilla_outside_requests_total'), [
      'flotilla_outside_requests_total{caller="payments",peer="provider",code="ok"} 2',
      'flotilla_outside_requests_total{caller="payments",peer="provider",code="unavailable"} 1',
    ])
    assert.deepEqual(seriesOf(metrics, 'flotilla_outside_duration_seconds_count'), [
      'flotilla_outside_duration_seconds_count{caller="payments",peer="provider"} 3',
      'flotilla_outside_duration_seconds_count{caller="gateway",peer="legacy.example:81"} 0',
    ])
    assert.deepEqual(seriesOf(metrics, 'flotilla_outside_pending'), [
      'flotilla_outside_pending{caller="payments",peer="provider"} 1',
      'flotilla_outside_pending{caller="gateway",peer="legacy.example:81"} 1',
    ])
  })

  it('tells at most 50 servers apart beside those with a name', () => {
    const metrics = new Metrics()
    const requests = new OutsideRequests(metrics, new Map([['late.example', 'known']]))
    for (let index = 0; index < 80; index++) requests.peer('search', `${index}.example`)
    assert.equal(requests.peer('search', '3.example').name, '3.example')
    assert.equal(requests.peer('search', '70.example').name, 'other')
    assert.equal(requests.peer('search', 'late.example').name, 'known')
    assert.equal(seriesOf(metrics, 'flotilla_outside_pending').length, 52)
  })
})
