/**
 * `flotilla call`: calls an operation.
 *
 * @module
 */
import { loadApp } from '../../system/app-module.ts'
import { UsageError } from '../arguments.ts'
import type { Command } from '../command.ts'
import { dataFolderOf, withControl } from '../running-system.ts'

/** The command. */
export const call: Command = {
  name: 'call',
  usage: "SERVICE.OPERATION ['{…}']",
  summary: 'call an operation as an administrator',
  argumentsMax: 2,
  details: `The input is JSON, as the contract says (see: flotilla contracts SERVICE).
Example: flotilla call inventory.stock '{"sku":"AUD-0001"}'`,
  async run(context) {
    const [operation, text = '{}'] = context.positionals
    if (operation === undefined || !/^[a-z][a-z0-9-]*\.[A-Za-z0-9]+$/.test(operation)) {
      throw new UsageError('name an operation as SERVICE.OPERATION')
    }
    let input: unknown
    try {
      input = JSON.parse(text)
    } catch (error) {
      throw new UsageError(`the input is not JSON (put it into quotes): ${(error as Error).message}`)
    }
    const { root } = await loadApp(context.workingFolder)
    const { output } = await withControl(dataFolderOf(context, root), (control) =>
      control.call({ operation, input }),
    )
    context.terminal.result(output, () => [JSON.stringify(output, undefined, 2)])
    return undefined
  },
}
