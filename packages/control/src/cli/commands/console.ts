/**
 * `flotilla console`: the link to the page of the running system.
 *
 * @module
 */
import { systemRandom } from '@flotilla/core/random'
import { loadApp } from '../../system/app-module.ts'
import { consoleLink } from '../../system/console-pages.ts'
import { Secrets } from '../../system/data-folder.ts'
import type { Command } from '../command.ts'
import { dataFolderOf, runningSystem } from '../running-system.ts'

/** The command. */
export const consoleCommand: Command = {
  name: 'console',
  usage: '',
  summary: 'the link to the console: what runs, what hurts, and why',
  details:
    'Whoever has the link may look, and change what the control API can change; it works on this machine only.',
  async run(context) {
    const { root } = await loadApp(context.workingFolder)
    const folder = dataFolderOf(context, root)
    const link = consoleLink(runningSystem(folder).url, new Secrets(folder, systemRandom))
    context.terminal.result({ console: link }, () => [link])
    return undefined
  },
}
