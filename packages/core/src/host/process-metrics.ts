/**
 * How the process itself is: its time, memory, garbage collector, event loop, and what it has open. Named as Prometheus's own client for
 * Node names them, so that dashboards made for that fit.
 *
 * @source https://github.com/siimon/prom-client#default-metrics
 * @module
 */
import {
  constants,
  monitorEventLoopDelay,
  type PerformanceEntry,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { Clock } from '../kernel/clock.ts'
import type { Closing } from '../kernel/closing.ts'
import type { Gauge, Metrics } from '../telemetry/metrics.ts'

/** Looked at so often: ten wake-ups a second are what an idle process can afford. */
const LOOP_RESOLUTION_MS = 100
/** Quantiles are of so long at least, whoever fetches them how often. */
const WINDOW_MS = 10_000

/** Shows them until `closing`. */
export function showProcess(metrics: Metrics, clock: Clock, closing: Closing): void {
  if (metrics.isOff) return
  const startedAtS = clock.now() / 1000 - process.uptime()
  metrics.gauge('process_start_time_seconds', 'When the process started, since 1970.').with().set(startedAtS)
  showCpuAndMemory(metrics)
  showCollector(metrics, closing)
  showLoop(metrics, clock, closing)
  const resources = metrics.gauge('nodejs_active_resources', 'What keeps the event loop open.', ['type'])
  metrics.onScrape(() => {
    for (const { cell } of resources.cells()) cell.set(0)
    for (const type of process.getActiveResourcesInfo()) resources.with(type).add(1)
  })
}

function showCpuAndMemory(metrics: Metrics): void {
  const cpu = metrics
    .counter('process_cpu_seconds_total', 'Time of the processor, of user and system.')
    .with()
  const gauge = (name: string, help: string): Gauge => metrics.gauge(name, help).with()
  const resident = gauge('process_resident_memory_bytes', 'Memory that the process holds.')
  const used = gauge('nodejs_heap_size_used_bytes', 'Heap in use.')
  const total = gauge('nodejs_heap_size_total_bytes', 'Heap that is there.')
  const limit = gauge('nodejs_heap_size_limit_bytes', 'Heap that the process may come to hold.')
  const external = gauge('nodejs_external_memory_bytes', 'Memory of buffers and the like, outside the heap.')
  metrics.onScrape(() => {
    const { user, system } = process.cpuUsage()
    cpu.value = (user + system) / 1e6
    const memory = process.memoryUsage()
    resident.set(memory.rss)
    used.set(memory.heapUsed)
    total.set(memory.heapTotal)
    external.set(memory.external)
    limit.set(getHeapStatistics().heap_size_limit)
  })
}

const collections: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
}

/** What Node's types do not tell. */
interface Pause extends PerformanceEntry {
  readonly detail?: { readonly kind: number }
}

function showCollector(metrics: Metrics, closing: Closing): void {
  const help = 'Pauses of the garbage collector.'
  const pauses = metrics.histogram('nodejs_gc_duration_seconds', help, ['kind'])
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { duration, detail } = entry as Pause
      pauses.with(collections[detail?.kind ?? 0] ?? 'other').observe(duration)
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  closing.defer('watch of the garbage collector', () => observer.disconnect())
}

function showLoop(metrics: Metrics, clock: Clock, closing: Closing): void {
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  loop.enable()
  closing.defer('watch of the event loop’s delay', () => void loop.disable())
  const gauge = (which: string): Gauge =>
    metrics
      .gauge(`nodejs_eventloop_lag_${which}_seconds`, `How late the event loop was lately: ${which}.`)
      .with()
  const [p50, p99, max] = [gauge('p50'), gauge('p99'), gauge('max')]
  const busy = metrics.gauge('nodejs_eventloop_utilization', 'Share of time in which it had work.').with()
  // What the monitor tells is the time between two looks, not how late the second one was.
  const seconds = (ns: number): number => Math.max(0, ns / 1e9 - LOOP_RESOLUTION_MS / 1000)
  let before = performance.eventLoopUtilization()
  let sinceMs = clock.monotonicMs()
  metrics.onScrape(() => {
    const nowMs = clock.monotonicMs()
    if (nowMs - sinceMs < WINDOW_MS) return
    p50.set(seconds(loop.percentile(50)))
    p99.set(seconds(loop.percentile(99)))
    max.set(seconds(loop.max))
    loop.reset()
    const now = performance.eventLoopUtilization()
    busy.set(performance.eventLoopUtilization(now, before).utilization)
    before = now
    sinceMs = nowMs
  })
}
