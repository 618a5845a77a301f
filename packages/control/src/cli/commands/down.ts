/**
 * `flotilla down`: stops the running system.
 *
 * @module
 */
import { systemClock } from '@flotilla/core/clock'
import { loadApp } from '../../system/app-module.ts'
import { isAlive } from '../../system/leftovers.ts'
import type { Command } from '../command.ts'
import { dataFolderOf, withControl } from '../running-system.ts'

const POLL_MS = 100

/** The command. */
export const down: Command = {
  name: 'down',
  usage: '',
  summary: 'stop everything in good order',
  async run(context) {
    const { root } = await loadApp(context.workingFolder)
    const supervisor = await withControl(dataFolderOf(context, root), async (control, file) => {
      await control.down()
      return file
    })
    while (isAlive(supervisor)) await systemClock.sleep(POLL_MS)
    context.terminal.result({ isDown: true }, () => ['Everything is stopped; the data is kept.'])
    return undefined
  },
}
