import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../kernel/clock.ts'
import { Closing } from '../kernel/closing.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { until } from '../testing/until.ts'
import { showProcess } from './process-metrics.ts'

describe('showProcess', () => {
  it('shows time, memory, pauses, the event loop and what is open, until it is closed', async (t) => {
    const clock = new VirtualClock(systemClock.now())
    const closing = new Closing(systemClock)
    t.after(() => closing.close())
    const metrics = new Metrics()
    showProcess(metrics, clock, closing)
    const value = (name: string): number => {
      const line = metrics
        .toPrometheus()
        .split('\n')
        .find((one) => one.startsWith(`${name} `))
      return Number(line?.split(' ').at(-1))
    }
    assert.ok(value('process_cpu_seconds_total') > 0)
    assert.ok(value('process_resident_memory_bytes') > value('nodejs_heap_size_used_bytes'))
    assert.ok(value('nodejs_heap_size_limit_bytes') > value('nodejs_heap_size_total_bytes'))
    assert.ok(Math.abs(value('process_start_time_seconds') + process.uptime() - systemClock.now() / 1000) < 5)
    const timer = systemClock.schedule(60_000, () => {})
    assert.ok(value('nodejs_active_resources{type="Timeout"}') >= 1)
    timer.cancel()
    let garbage: unknown[] = []
    await until('the collector has paused', () => {
      garbage = Array.from({ length: 200_000 }, () => ({}))
      return value('nodejs_gc_duration_seconds_count{kind="minor"}') > 0 && garbage.length > 0
    })
    await until('a loop that stood still was late', async () => {
      // The monitor tells nothing of the first time that it looks after it was read.
      for (let turn = 0; turn < 3; turn++) {
        const endMs = systemClock.monotonicMs() + 300
        while (systemClock.monotonicMs() < endMs) garbage = []
        await systemClock.sleep(1)
      }
      await clock.advance(10_000)
      return value('nodejs_eventloop_lag_max_seconds') > 0.1
    })
    assert.ok(value('nodejs_eventloop_utilization') > 0)
  })
})
