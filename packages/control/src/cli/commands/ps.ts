/**
 * `flotilla ps`: every process.
 *
 * @module
 */
import type { ProcessInfo } from '../../api/contract.ts'
import { loadApp } from '../../system/app-module.ts'
import type { Command } from '../command.ts'
import { dataFolderOf, withControl } from '../running-system.ts'
import { table } from '../terminal.ts'

/** The command. */
export const ps: Command = {
  name: 'ps',
  usage: '',
  summary: 'processes with pid, CPU, memory, calls in flight, version',
  async run(context) {
    const { root } = await loadApp(context.workingFolder)
    const { items } = await withControl(dataFolderOf(context, root), (control) => control.processes())
    context.terminal.result(items, () =>
      table([
        ['PROCESS', 'STATE', 'PID', 'CPU', 'MEMORY', 'IN FLIGHT', 'UP', 'STARTS', 'VERSION', 'SERVICES'],
        ...items.map(row),
      ]),
    )
    return undefined
  },
}

function row(process: ProcessInfo): string[] {
  const { name, state, isLooping, pid, cpuRatio, rssBytes, inFlight, uptimeMs, starts, version, services } =
    process
  return [
    name,
    isLooping ? `${state}, crash loop` : state,
    pid === undefined ? '-' : String(pid),
    cpuRatio === undefined ? '-' : `${(cpuRatio * 100).toFixed(1)}%`,
    rssBytes === undefined ? '-' : `${(rssBytes / 1e6).toFixed(0)} MB`,
    inFlight === undefined ? '-' : String(inFlight),
    duration(uptimeMs),
    String(starts),
    version,
    services.join(', '),
  ]
}

function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes}m${seconds % 60}s` : `${Math.floor(minutes / 60)}h${minutes % 60}m`
}
