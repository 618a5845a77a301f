/**
 * The `flotilla` command.
 *
 * Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
 *
 * @module
 */
import { isFlotillaError } from '@flotilla/core/error'
import { PlacementError } from '../topology/placement.ts'
import { commonOptions, type OptionSpec, readArguments, UsageError } from './arguments.ts'
import type { Command } from './command.ts'
import { alerts } from './commands/alerts.ts'
import { cache } from './commands/cache.ts'
import { call } from './commands/call.ts'
import { consoleCommand } from './commands/console.ts'
import { contracts, openapi, routes } from './commands/contracts.ts'
import { dlq } from './commands/dlq.ts'
import { doctor } from './commands/doctor.ts'
import { down } from './commands/down.ts'
import { events } from './commands/events.ts'
import { logs } from './commands/logs.ts'
import { mcp } from './commands/mcp.ts'
import { metrics } from './commands/metrics.ts'
import { policies } from './commands/policies.ts'
import { ps } from './commands/ps.ts'
import { saga } from './commands/saga.ts'
import { scale } from './commands/scale.ts'
import { status } from './commands/status.ts'
import { migrate, seed } from './commands/tasks.ts'
import { trace, traces } from './commands/traces.ts'
import { up } from './commands/up.ts'
import { Terminal, table } from './terminal.ts'

const commands: readonly Command[] = [
  up,
  down,
  status,
  ps,
  consoleCommand,
  logs,
  traces,
  trace,
  metrics,
  alerts,
  mcp,
  scale,
  events,
  dlq,
  saga,
  cache,
  call,
  routes,
  contracts,
  openapi,
  policies,
  migrate,
  seed,
  doctor,
]

/**
 * libpq's variables, which the driver heeds too: PGSSLMODE, PGOPTIONS, PGPASSWORD and their like would change what our own
 * connections do, and the processes we start inherit what we have. Whose server is to be used, DATABASE_URL says whole.
 */
function forgetPostgresVariables(): void {
  for (const name of Object.keys(process.env)) if (/^PG[A-Z]+$/.test(name)) delete process.env[name]
}

/** Runs the command line in `args`; resolves with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  forgetPostgresVariables()
  const [name, ...rest] = args
  const hasColour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined
  const terminal = new Terminal({ isJson: rest.includes('--json'), hasColour })
  if (name === undefined || name === '--help' || name === 'help') {
    terminal.line(overview())
    return name === undefined ? 2 : 0
  }
  const command = commands.find((one) => one.name === name)
  if (command === undefined) {
    terminal.error(`there is no command ${name}; see: npx flotilla --help`)
    return 2
  }
  try {
    const given = readArguments(rest, command.options ?? {})
    if (given.options['help']) {
      terminal.line(help(command))
      return 0
    }
    const surplus = given.positionals[command.argumentsMax ?? 0]
    if (surplus !== undefined) throw new UsageError(`'${surplus}' is one argument too many`)
    return (
      (await command.run({ ...given, terminal, environment: process.env, workingFolder: process.cwd() })) ?? 0
    )
  } catch (error) {
    return report(terminal, command, error)
  }
}

function report(terminal: Terminal, command: Command, error: unknown): number {
  if (error instanceof UsageError) {
    terminal.error(`${error.message}; usage: npx flotilla ${`${command.name} ${command.usage}`.trimEnd()}`)
    return 2
  }
  const { message, stack } = error as Error
  if (isFlotillaError(error) || error instanceof PlacementError) {
    terminal.error(message)
    if (isFlotillaError(error))
      for (const issue of error.issues ?? []) terminal.error(`${issue.pointer} ${issue.message}`)
  } else terminal.error(stack ?? message)
  return 1
}

function overview(): string {
  return [
    'usage: npx flotilla COMMAND [ARGUMENTS]',
    '',
    ...table(commands.map(({ name, usage, summary }) => [`  ${name} ${usage}`, summary])),
    '',
    'npx flotilla --version tells which one this is.',
    '',
    'Options of every command',
    ...optionLines(commonOptions),
  ].join('\n')
}

function help({ name, usage, summary, details, options = {} }: Command): string {
  const lines = [
    `usage: npx flotilla ${name} ${usage}`.trimEnd(),
    '',
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
  ]
  if (details !== undefined) lines.push('', details)
  return [...lines, '', 'Options', ...optionLines({ ...options, ...commonOptions })].join('\n')
}

function optionLines(options: Readonly<Record<string, OptionSpec>>): string[] {
  return table(
    Object.entries(options).map(([name, { value, summary }]) => [
      `  --${name}${value === undefined ? '' : ` ${value}`}`,
      summary,
    ]),
  )
}
