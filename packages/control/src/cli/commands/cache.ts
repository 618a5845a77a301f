/**
 * `flotilla cache`: forgetting answers that the gateways keep.
 *
 * @module
 */
import { loadApp } from '../../system/app-module.ts'
import { textOption, UsageError } from '../arguments.ts'
import type { Command } from '../command.ts'
import { dataFolderOf, withControl } from '../running-system.ts'

/** The command. */
export const cache: Command = {
  name: 'cache',
  usage: 'purge [TAG …] [--operation OPERATION] [--all]',
  summary: 'have all gateways forget answers they keep',
  argumentsMax: 101,
  details: `  cache purge product:42 products       what tells of these
  cache purge --operation catalog.products
  cache purge --all`,
  options: {
    operation: { type: 'string', value: 'OPERATION', summary: 'everything that it answered' },
    all: { type: 'boolean', summary: 'everything' },
  },
  async run(context) {
    const [verb, ...tags] = context.positionals
    if (verb !== 'purge') throw new UsageError(`cache does not know '${verb ?? ''}'`)
    const operation = textOption(context, 'operation')
    const isEverything = context.options['all'] === true
    if (tags.length === 0 && operation === undefined && !isEverything)
      throw new UsageError('name tags or an operation, or say --all')
    const input = { tags, operations: operation === undefined ? [] : [operation], isEverything }
    const { root } = await loadApp(context.workingFolder)
    await withControl(dataFolderOf(context, root), (control) =>
      control.call({ operation: 'gateway.purgeCache', input }),
    )
    context.terminal.result(input, () => ['Every gateway that hears of events forgets it now.'])
    return undefined
  },
}
