/**
 * `flotilla traces` and `flotilla trace ID`: requests as they went through the services.
 *
 * @module
 */
import { isoTime, systemClock } from '@flotilla/core/clock'
import { loadApp } from '../../system/app-module.ts'
import { textOption, UsageError } from '../arguments.ts'
import type { Command } from '../command.ts'
import { findTraces } from '../find-traces.ts'
import { dataFolderOf, withObserve } from '../running-system.ts'
import { RED_MS, traceList, waterfall } from '../trace-lines.ts'

const LIMIT_DEFAULT = 20
const LIMIT_MAX = 200
const RANGE_MS = 15 * 60_000

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
    const filter = {
      // The same for all pages of one search.
      fromMs: systemClock.now() - RANGE_MS,
      ...(service === undefined ? {} : { service }),
      ...(name === undefined ? {} : { name }),
      ...(context.options['slow'] ? { minMs: RED_MS } : {}),
      ...(context.options['error'] ? { isFailed: true } : {}),
    }
    const { items, cutShortAtMs } = await withObserve(dataFolderOf(context, root), (observe) =>
      findTraces(
        (cursor, wanted) =>
          observe.traces({ ...filter, limit: wanted, ...(cursor === undefined ? {} : { cursor }) }),
        limit,
        systemClock,
      ),
    )
    const { terminal } = context
    const isNone = items.length === 0 && cutShortAtMs === null
    terminal.result(items, () => {
      if (items.length > 0) return traceList(items, terminal)
      return isNone ? ['There is no such trace in the last 15 minutes.'] : []
    })
    if (cutShortAtMs !== null) {
      const what = items.length === 0 ? 'No such trace was found, but the search' : 'The search'
      const since = isoTime(Math.trunc(cutShortAtMs)).slice(11, 19)
      terminal.line(`${what} ran out of time: what began before ${since} was not looked at.`)
    }
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
      `${found.logLines} log ${found.logLines === 1 ? 'line' : 'lines'}${found.hasMoreLogLines ? ' and more' : ''}: npx flotilla logs --where trace_id=${traceId}`,
    ])
    return undefined
  },
}
