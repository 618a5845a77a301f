/**
 * What the supervisor tells of all processes, and what the machine is like, as metrics of the process that watches.
 *
 * @module
 */
import { availableParallelism, freemem, loadavg, totalmem } from 'node:os'
import type { Gauge, Metrics } from '@flotilla/core/metrics'
import type { Fleet } from '../supervisor/fleet.ts'

/** Shows them at every scrape. */
export function showProcesses(metrics: Metrics, fleet: Pick<Fleet, 'processes'>): void {
  const gauge = (name: string, help: string) => metrics.gauge(name, help, ['process'])
  const cpu = gauge('flotilla_process_cpu_ratio', 'Share of one core, lately.')
  const memory = gauge('flotilla_process_resident_bytes', 'Resident memory.')
  const starts = gauge('flotilla_process_starts', 'How often it was started.')
  const machine = metrics.gauge('flotilla_machine_memory_bytes', 'Memory of the machine.', ['kind'])
  const load = metrics
    .gauge('flotilla_machine_load_ratio', 'Runnable threads for each core, over a minute.')
    .with()
  const seen = new Map<string, readonly Gauge[]>()
  metrics.onScrape(() => {
    machine.with('total').set(totalmem())
    machine.with('available').set(freemem())
    load.set((loadavg()[0] ?? 0) / availableParallelism())
    const now = new Set<string>()
    for (const { name, stats, starts: times } of fleet.processes) {
      const its = [cpu.with(name), memory.with(name)]
      its[0]?.set(stats?.cpuRatio ?? 0)
      its[1]?.set(stats?.rssBytes ?? 0)
      starts.with(name).set(times)
      seen.set(name, its)
      now.add(name)
    }
    // Those that are gone use nothing.
    for (const [name, its] of seen) if (!now.has(name)) for (const one of its) one.set(0)
  })
}
