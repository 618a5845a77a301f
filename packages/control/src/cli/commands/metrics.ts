/**
 * `flotilla metrics`: what is measured, and the latest values of one metric.
 *
 * @module
 */
import { loadApp } from '../../system/app-module.ts'
import { textOption } from '../arguments.ts'
import type { Command } from '../command.ts'
import { dataFolderOf, withObserve } from '../running-system.ts'
import { table } from '../terminal.ts'

/** The command. */
export const metrics: Command = {
  name: 'metrics',
  usage: '[NAME] [--where L=V,…] [--by L,…] [--rate] [--quantile Q]',
  summary: 'what is measured, or the latest values of one metric',
  argumentsMax: 1,
  details: `  metrics flotilla_server_calls_total --rate --by service,code
  metrics flotilla_server_duration_seconds --quantile 0.99 --by service`,
  options: {
    where: {
      type: 'string',
      value: 'L=V,…',
      summary: 'only series with these labels; several values as a|b',
    },
    by: { type: 'string', value: 'L,…', summary: 'add series up that agree in these labels' },
    rate: { type: 'boolean', summary: 'what a counter adds, a second' },
    quantile: { type: 'string', value: 'Q', summary: 'of a histogram, 0 to 1' },
  },
  async run(context) {
    const [name] = context.positionals
    const { root } = await loadApp(context.workingFolder)
    const folder = dataFolderOf(context, root)
    if (name === undefined) {
      const { items } = await withObserve(folder, (observe) => observe.metrics())
      context.terminal.result(items, () =>
        table([
          ['METRIC', 'KIND', 'LABELS'],
          ...items.map((one) => [one.name, one.kind, one.labels.join(', ')]),
        ]),
      )
      return undefined
    }
    const quantile = textOption(context, 'quantile')
    const where = textOption(context, 'where')
    const by = textOption(context, 'by')
    const { items } = await withObserve(folder, (observe) =>
      observe.series({
        name,
        as: quantile !== undefined ? 'quantile' : context.options['rate'] ? 'rate' : 'value',
        ...(quantile === undefined ? {} : { quantile: Number(quantile) }),
        ...(where === undefined ? {} : { where }),
        ...(by === undefined ? {} : { by }),
      }),
    )
    context.terminal.result(items, () =>
      items.length === 0
        ? ['There is no such series in the last 15 minutes.']
        : table(items.map(({ labels, points }) => [labelText(labels), String(points.at(-1)?.[1] ?? '-')])),
    )
    return undefined
  },
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${value}`)
  return pairs.length === 0 ? 'all' : pairs.join(' ')
}
