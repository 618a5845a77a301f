/**
 * `flotilla alerts`: what is wrong now, and was within a day.
 *
 * @module
 */
import { loadApp } from '../../system/app-module.ts'
import type { Command } from '../command.ts'
import { dataFolderOf, withObserve } from '../running-system.ts'
import { table } from '../terminal.ts'

/** The command. */
export const alerts: Command = {
  name: 'alerts',
  usage: '',
  summary: 'alerts: firing, pending, resolved within a day',
  details: 'Exit code 1 while one fires.',
  async run(context) {
    const { root } = await loadApp(context.workingFolder)
    const { items } = await withObserve(dataFolderOf(context, root), (observe) => observe.alerts())
    context.terminal.result(items, () =>
      items.length === 0
        ? ['All is well, and was for a day.']
        : table([
            ['STATE', 'SEVERITY', 'RULE', 'SINCE', 'WHAT'],
            ...items.map(({ state, severity, rule, since, summary }) => [
              state,
              severity,
              rule,
              since,
              summary,
            ]),
          ]),
    )
    return items.some(({ state }) => state === 'firing') ? 1 : undefined
  },
}
