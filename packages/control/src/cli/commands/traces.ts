/**
 * `flotilla traces` and `flotilla trace ID`: requests as they went through the services.
 *
 * @module
 */
import { loadApp } from '../../system/app-module.ts'
import { textOption, UsageError } from '../arguments.ts'
import type { Command } from '../command.ts'
import { dataFolderOf, withObserve } from '../running-system.ts'
import { RED_MS, traceList, waterfall } from '../trace-lines.ts'

const LIMIT_DEFAULT = 20
const LIMIT_MAX = 200

/** The command. */
export const traces: Command = {
  name: 'traces',
  usage: '[SERVICE] [--slow] [--error] [--name TEXT] [--limit N]',
  summary: 'the latest traces, those that were slow, or failed',
  argumentsMax: 1,
  options: {
    slow: { type: 'boolean', summary: `with a span of ${RED_MS} ms or more` },
    error: { type: 'boolean', summary: 'with a span that failed' },
    name: { type: 'string', value: 'TEXT', summary: 'with TEXT in the name of a span' },
    limit: { type: 'string', value: 'N', summary: `how many (default ${LIMIT_DEFAULT})` },
  },
  async run(context) {
    const limit = Number(textOption(context, 'limit') ?? LIMIT_DEFAULT)
    if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX)
      throw new UsageError(`--limit must be a whole number from 1 to ${LIMIT_MAX}`)
    const [service] = context.positionals
    const name = textOption(context, 'name')
    const { root } = await loadApp(context.workingFolder)
    const { items } = await withObserve(dataFolderOf(context, root), (observe) =>
      observe.traces({
        limit,
        ...(service === undefined ? {} : { service }),
        ...(name === undefined ? {} : { name }),
        ...(context.options['slow'] ? { minMs: RED_MS } : {}),
        ...(context.options['error'] ? { isFailed: true } : {}),
      }),
    )
    context.terminal.result(items, () =>
      items.length === 0
        ? ['There is no such trace in the last 15 minutes.']
        : traceList(items, context.terminal),
    )
    return undefined
  },
}

/** The command. */
export const trace: Command = {
  name: 'trace',
  usage: 'ID',
  summary: 'one trace: its spans in their order, with what they waited for',
  argumentsMax: 1,
  details:
    'Spans marked with * are those that the duration of the whole is made of. Durations are milliseconds.',
  async run(context) {
    const [traceId] = context.positionals
    if (traceId === undefined || !/^[0-9a-f]{32}$/.test(traceId))
      throw new UsageError('name a trace by its 32 hexadecimal digits')
    const { root } = await loadApp(context.workingFolder)
    const found = await withObserve(dataFolderOf(context, root), (observe) => observe.trace({ traceId }))
    context.terminal.result(found, () => [
      `${found.service} ${found.name}`,
      `${found.startAt}, ${found.durationMs.toFixed(1)} ms, ${found.spans} spans, ${found.errors} failed`,
      '',
      ...waterfall(found.items, found.durationMs, context.terminal),
      ...(found.isTruncated ? ['… and more spans than are shown'] : []),
      '',
      `${found.logLines} log lines: npx flotilla logs --where trace_id=${traceId}`,
    ])
    return undefined
  },
}
