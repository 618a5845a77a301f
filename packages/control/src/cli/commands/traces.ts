/**
 * `flotilla traces` and `flotilla trace ID`: requests as they went through the services.
 *
 * @module
 */
import type { SpanInfo, TraceSummary } from '../../api/shapes.ts'
import { loadApp } from '../../system/app-module.ts'
import { textOption, UsageError } from '../arguments.ts'
import type { Command } from '../command.ts'
import { dataFolderOf, withObserve } from '../running-system.ts'
import { type Terminal, table } from '../terminal.ts'

const LIMIT_DEFAULT = 20
const LIMIT_MAX = 200
/** What people call slow, as in the console: from here on yellow, from there on red. */
const YELLOW_MS = 100
const RED_MS = 500
const BAR_CHARS = 40

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
        : table([['TRACE', 'AT', 'MS', 'SPANS', 'FAILED', 'WHAT', 'SERVICES'], ...items.map(row)]),
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
  details: 'Spans marked with * are those that the duration of the whole is made of.',
  async run(context) {
    const [traceId] = context.positionals
    if (traceId === undefined || !/^[0-9a-f]{32}$/.test(traceId))
      throw new UsageError('name a trace by its 32 hexadecimal digits')
    const { root } = await loadApp(context.workingFolder)
    const found = await withObserve(dataFolderOf(context, root), (observe) => observe.trace({ traceId }))
    context.terminal.result(found, () => [
      `${found.name} of ${found.service}, ${found.startAt}, ${found.durationMs.toFixed(1)} ms, ${found.spans} spans, ${found.errors} failed`,
      '',
      ...tree(found.items).map(({ span, depth }) => line(context.terminal, span, depth, found.durationMs)),
      ...(found.isTruncated ? ['… and more spans than are shown'] : []),
      '',
      `${found.logLines} log lines: npx flotilla logs --where trace_id=${traceId}`,
    ])
    return undefined
  },
}

function row({
  traceId,
  startAt,
  durationMs,
  spans,
  errors,
  name,
  service,
  services,
}: TraceSummary): string[] {
  const what = `${service} ${name}`
  return [
    traceId,
    startAt.slice(11, 23),
    durationMs.toFixed(1),
    String(spans),
    String(errors),
    what,
    services.join(', '),
  ]
}

/** Spans below those that caused them, each followed by its own. */
function tree(spans: readonly SpanInfo[]): readonly { readonly span: SpanInfo; readonly depth: number }[] {
  const ids = new Set(spans.map(({ spanId }) => spanId))
  const childrenOf = (id: string | undefined): readonly SpanInfo[] =>
    spans.filter(({ parentId }) =>
      id === undefined ? parentId === undefined || !ids.has(parentId) : parentId === id,
    )
  const below = (id: string | undefined, depth: number): { span: SpanInfo; depth: number }[] =>
    depth > spans.length
      ? []
      : childrenOf(id).flatMap((span) => [{ span, depth }, ...below(span.spanId, depth + 1)])
  return below(undefined, 0)
}

function line(terminal: Terminal, span: SpanInfo, depth: number, totalMs: number): string {
  const { name, service, kind, startMs, durationMs, code, isCritical } = span
  const scale = BAR_CHARS / Math.max(totalMs, 0.001)
  const before = Math.min(BAR_CHARS - 1, Math.floor(startMs * scale))
  const length = Math.max(1, Math.min(BAR_CHARS - before, Math.round(durationMs * scale)))
  const bar = `${' '.repeat(before)}${'='.repeat(length)}`.padEnd(BAR_CHARS)
  const colour = code !== 'ok' || durationMs > RED_MS ? 'red' : durationMs >= YELLOW_MS ? 'yellow' : 'green'
  const failed = code === 'ok' ? '' : ` ${terminal.style('red', code)}`
  return `${isCritical ? '*' : ' '} ${terminal.style(colour, bar)} ${durationMs.toFixed(1).padStart(8)} ms  ${'  '.repeat(depth)}${service} ${name} (${kind})${failed}`
}
