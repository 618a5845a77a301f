/**
 * What the supervising process knows of all others, and of the machine, as metrics of its own.
 *
 * @module
 */
import { availableParallelism, freemem, loadavg, totalmem } from 'node:os'
import type { Gauge, Metrics } from '@flotilla/core/metrics'
import type { ProcessSlot } from '../supervisor/process-slot.ts'

/** Shows them at every scrape. */
export function showProcesses(metrics: Metrics, slots: () => readonly ProcessSlot[]): void {
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
    for (const slot of slots()) {
      const its = [cpu.with(slot.name), memory.with(slot.name)]
      its[0]?.set(slot.stats?.cpuRatio ?? 0)
      its[1]?.set(slot.stats?.rssBytes ?? 0)
      starts.with(slot.name).set(slot.starts)
      seen.set(slot.name, its)
      now.add(slot.name)
    }
    // Those that are gone use nothing.
    for (const [name, its] of seen) if (!now.has(name)) for (const one of its) one.set(0)
  })
}
