/**
 * `flotilla logs`: what processes write, from the files themselves: people look when something does not run.
 *
 * @module
 */
import { join } from 'node:path'
import { systemClock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import { shown } from '../../mcp/answer-text.ts'
import { loadApp } from '../../system/app-module.ts'
import { textOption, UsageError } from '../arguments.ts'
import type { Command } from '../command.ts'
import { followLines, type LogLine, type LogSource, lastLines } from '../log-reader.ts'
import { dataFolderOf } from '../running-system.ts'
import type { Terminal } from '../terminal.ts'

const LINES_MAX = 5_000

/** The command. */
export const logs: Command = {
  name: 'logs',
  usage: "[SERVICE] [--follow] [--lines N] [--where 'field=value']",
  summary: 'log lines of all processes, or of one service',
  argumentsMax: 1,
  options: {
    follow: { type: 'boolean', summary: 'go on with new lines until Ctrl-C' },
    lines: { type: 'string', value: 'N', summary: 'how many of the last lines (default 50)' },
    where: {
      type: 'string',
      value: 'F=V',
      summary: 'only lines in which a field has a value: trace_id=…, request_id=…',
    },
  },
  async run(context) {
    const { terminal, positionals, options } = context
    const { root, app } = await loadApp(context.workingFolder)
    const lines = Number(textOption(context, 'lines') ?? 50)
    if (!Number.isInteger(lines) || lines < 1 || lines > LINES_MAX) {
      throw new UsageError(`--lines must be a whole number from 1 to ${LINES_MAX}`)
    }
    const [service] = positionals
    if (service !== undefined && !Object.hasOwn(app.services, service)) {
      throw new FlotillaError('not_found', `There is no service ${service}.`)
    }
    const where = textOption(context, 'where')
    if (where !== undefined && !/^[A-Za-z_][A-Za-z0-9_.]*=/.test(where)) {
      throw new UsageError('--where must be FIELD=VALUE')
    }
    const filter = {
      ...(service === undefined ? {} : { service }),
      ...(where === undefined ? {} : { where }),
    }
    const folder = dataFolderOf(context, root)
    const sources = (): readonly LogSource[] =>
      folder.logNames().map((process) => ({ process, path: join(folder.logs, `${process}.log`) }))
    if (sources().length === 0) {
      throw new FlotillaError('failed_precondition', `Nothing ran with the data folder ${folder.path} yet.`)
    }
    const print = (line: LogLine): void => terminal.item(line, () => pretty(terminal, line))
    for (const line of await lastLines(sources(), filter, lines)) print(line)
    if (!options['follow']) return undefined
    for await (const line of followLines(sources, filter, systemClock, new AbortController().signal)) {
      print(line)
      if (!terminal.isRead) break
    }
    return undefined
  },
}

/** A line for people: time, process, message, and the fields that are not in every line. */
function pretty(terminal: Terminal, { process, text }: LogLine): string {
  if (!text.startsWith('{')) return `${process} ${text}`
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(text) as Record<string, unknown>
  } catch {
    // A line that only begins like one of ours.
    return `${process} ${text}`
  }
  const { level, timestamp, service: _, instance: __, version: ___, message, error, ...rest } = fields
  const colour = level === 'error' ? 'red' : level === 'warn' ? 'yellow' : 'dim'
  const extra = Object.entries(rest).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? shown(value) : JSON.stringify(value)}`,
  )
  const trouble = error as { readonly message?: string; readonly stack?: string } | undefined
  return [
    terminal.style('dim', String(timestamp ?? '').slice(11, 23)),
    terminal.style('cyan', process),
    terminal.style(colour, String(level ?? '')),
    // In one line: what looks like another line is none.
    shown(String(message ?? '')),
    terminal.style('dim', extra.join(' ')),
    trouble === undefined ? '' : `\n  ${trouble.stack ?? trouble.message ?? ''}`,
  ]
    .filter((part) => part !== '')
    .join(' ')
}
