/**
 * `flotilla scale`: how many processes run a service.
 *
 * @module
 */
import { loadApp } from '../../system/app-module.ts'
import { INSTANCES_MAX } from '../../topology/placement.ts'
import { UsageError } from '../arguments.ts'
import type { Command } from '../command.ts'
import { dataFolderOf, withControl } from '../running-system.ts'

/** The command. */
export const scale: Command = {
  name: 'scale',
  usage: 'SERVICE=N …',
  summary: 'run services in so many processes',
  argumentsMax: Number.POSITIVE_INFINITY,
  details:
    'Returns when the new processes are ready, or the surplus ones have answered their last call and ended.',
  async run(context) {
    const wishes = context.positionals.map((text) => {
      const [, service, number] = /^([a-z][a-z0-9-]*)=(\d{1,9})$/.exec(text) ?? []
      if (service === undefined) throw new UsageError(`${text} is not SERVICE=N`)
      const instances = Number(number)
      if (instances < 1 || instances > INSTANCES_MAX) {
        throw new UsageError(`${text}: a service runs in 1 to ${INSTANCES_MAX} processes`)
      }
      return { service, instances }
    })
    if (wishes.length === 0) throw new UsageError('name at least one SERVICE=N')
    const { root } = await loadApp(context.workingFolder)
    const done = await withControl(dataFolderOf(context, root), async (control) => {
      const results: { readonly host: string; readonly instances: number }[] = []
      for (const wish of wishes) results.push(await control.scale(wish))
      return results
    })
    context.terminal.result(done, () => done.map(({ host, instances }) => `${host}: ${instances}`))
    return undefined
  },
}
