/**
 * `flotilla dlq`: events that a service could not handle.
 *
 * @module
 */
import type { ParkedInfo } from '../../api/contract.ts'
import { loadApp } from '../../system/app-module.ts'
import { textOption, UsageError } from '../arguments.ts'
import type { Command, CommandContext } from '../command.ts'
import { type ControlCalls, dataFolderOf, withControl } from '../running-system.ts'
import { table } from '../terminal.ts'

/** The command. */
export const dlq: Command = {
  name: 'dlq',
  usage: '[list|show|redrive] [ID …] [--service S] [--all]',
  summary: 'events that could not be handled: look, try again',
  argumentsMax: 101,
  details: `  dlq [list] [--service S]           what failed, in all services or one: dead events first
  dlq show ID                        one of them, with the event itself and the error
  dlq redrive ID …                   try dead ones again, at once; what waits behind them follows in order
  dlq redrive --all [--service S]    the same with all dead ones`,
  options: {
    service: { type: 'string', value: 'S', summary: 'only of this service' },
    all: { type: 'boolean', summary: 'redrive everything that is dead' },
  },
  async run(context) {
    const [verb = 'list', ...ids] = context.positionals
    const act = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
    if (act === undefined) throw new UsageError(`dlq does not know '${verb}'`)
    const wrong = ids.find((id) => !/^[a-z][a-z0-9-]*:[1-9]\d{0,14}$/.test(id))
    if (wrong !== undefined) throw new UsageError(`${wrong} is not an id such as search:12`)
    const work = act(ids, context)
    const { root } = await loadApp(context.workingFolder)
    return withControl(dataFolderOf(context, root), work)
  },
}

type Work = (control: ControlCalls) => Promise<number | undefined>

/** Each checks its arguments, and gives what is then to be done. */
const verbs: Readonly<Record<string, (ids: readonly string[], context: CommandContext) => Work>> = {
  list,
  show,
  redrive,
}

function list(ids: readonly string[], context: CommandContext): Work {
  const service = textOption(context, 'service')
  if (ids.length > 0 || context.options['all']) throw new UsageError('list takes neither ids nor --all')
  return async (control) => {
    const { items, hasMore } = await control.parked(service === undefined ? {} : { service })
    context.terminal.result(items, () =>
      items.length === 0
        ? ['No event has failed.']
        : table([['ID', 'STATE', 'TOPIC', 'KEY', 'BEHIND', 'ATTEMPTS', 'SINCE', 'ERROR'], ...items.map(row)]),
    )
    if (hasMore)
      context.terminal.line(`There are more than these ${items.length}; --service shows those of one.`)
    return undefined
  }
}

function row({ id, state, topic, key, behind, attempts, parkedAt, error }: ParkedInfo): string[] {
  const [message = ''] = String(error?.['message'] ?? '').split('\n')
  return [id, state, topic, key, String(behind), String(attempts), parkedAt, message.slice(0, 100)]
}

function show(ids: readonly string[], { options, terminal }: CommandContext): Work {
  const [id] = ids
  if (id === undefined || ids.length > 1 || options['all'] || options['service'] !== undefined)
    throw new UsageError('show takes one id')
  return async (control) => {
    const parked = await control.parkedEvent({ id })
    const { event, error, ...facts } = parked
    terminal.result(parked, () => [
      ...table(Object.entries(facts).map(([name, value]) => [`  ${name}`, String(value)])),
      '',
      terminal.style('bold', 'Event'),
      JSON.stringify(event, undefined, 2),
      '',
      terminal.style('bold', 'Error'),
      error === null ? 'none yet: it waits for an earlier event of its key' : errorText(error),
    ])
    return undefined
  }
}

/** Whole lines rather than JSON: a stack has many. */
function errorText({ stack, ...others }: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(others).map(([name, value]) => `${name}: ${String(value)}`)
  return [...lines, ...(typeof stack === 'string' ? [stack] : [])].join('\n')
}

function redrive(ids: readonly string[], context: CommandContext): Work {
  const { terminal, options } = context
  const service = textOption(context, 'service')
  if (options['all'] !== true && ids.length === 0) throw new UsageError('name ids, or say --all')
  if (ids.length > 0 && (options['all'] || service !== undefined))
    throw new UsageError('name ids, or say --all, not both')
  return async (control) => {
    const all = service === undefined ? 'all' : { allOf: service }
    const { redriven } = await control.redrive({ which: ids.length > 0 ? [...ids] : all })
    const left = ids.filter((id) => !redriven.includes(id))
    terminal.result({ redriven, left }, () => [
      redriven.length === 0 ? 'Nothing is tried again.' : `Tried again: ${redriven.join(', ')}`,
      ...(left.length === 0 ? [] : [`Left alone, since not dead: ${left.join(', ')}`]),
    ])
    return left.length > 0 ? 1 : undefined
  }
}
