/**
 * `flotilla status`: the health of everything.
 *
 * @module
 */
import { loadApp } from '../../system/app-module.ts'
import type { Command } from '../command.ts'
import { dataFolderOf, withControl } from '../running-system.ts'
import { table } from '../terminal.ts'

/** The command. */
export const status: Command = {
  name: 'status',
  usage: '',
  summary: 'health of everything',
  details: 'Exits with 1 when something is not ready.',
  async run(context) {
    const { terminal } = context
    const { root } = await loadApp(context.workingFolder)
    const state = await withControl(dataFolderOf(context, root), (control) => control.status())
    terminal.result(state, () => [
      `${terminal.style('bold', state.app)} as ${state.placement}: ${
        state.isReady ? terminal.style('green', 'ready') : terminal.style('red', 'not ready')
      }, since ${state.startedAt}`,
      `gateway ${state.gateway}, PostgreSQL ${state.database}`,
      '',
      ...table([
        ['HOST', 'READY', 'SERVICES'],
        ...state.hosts.map(({ name, ready, wanted, services, isLooping }) => [
          name,
          `${ready}/${wanted}${isLooping ? ' crash loop' : ''}`,
          services.join(', '),
        ]),
      ]),
    ])
    return state.isReady ? 0 : 1
  },
}
