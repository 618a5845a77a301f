/**
 * `flotilla saga`: work in steps, and what became of it.
 *
 * @module
 */
import { sagaStatuses } from '@flotilla/core/saga'
import type { SagaInfo } from '../../api/contract.ts'
import { loadApp } from '../../system/app-module.ts'
import { textOption, UsageError } from '../arguments.ts'
import type { Command, CommandContext } from '../command.ts'
import { type ControlCalls, dataFolderOf, withControl } from '../running-system.ts'
import { table } from '../terminal.ts'

/** The command. */
export const saga: Command = {
  name: 'saga',
  usage: '[list|show|retry] [ID] [--service S] [--status …]',
  summary: 'sagas: look, have a parked one go on',
  argumentsMax: 2,
  details: `  saga [list] [--service S] [--status STATUS]   the latest ones
  saga show ID                                  one, with its state and all that happened to it
  saga retry ID                                 have a parked one go on, as if its step had never failed
STATUS is one of ${sagaStatuses.join(', ')}.`,
  options: {
    service: { type: 'string', value: 'S', summary: 'only of this service' },
    status: { type: 'string', value: 'STATUS', summary: 'only those that are, say, parked' },
  },
  async run(context) {
    const [verb = 'list', id] = context.positionals
    const work = workOf(verb, id, context)
    const { root } = await loadApp(context.workingFolder)
    await withControl(dataFolderOf(context, root), work)
    return undefined
  },
}

type Work = (control: ControlCalls) => Promise<void>

function workOf(verb: string, id: string | undefined, context: CommandContext): Work {
  const service = textOption(context, 'service')
  const ofService = service === undefined ? {} : { service }
  const given = textOption(context, 'status')
  if (verb === 'list') {
    if (id !== undefined) throw new UsageError('list takes no id')
    const status = sagaStatuses.find((one) => one === given)
    if (given !== undefined && status === undefined)
      throw new UsageError(`--status must be one of ${sagaStatuses.join(', ')}`)
    return (control) => list(context, control, { ...ofService, ...(status === undefined ? {} : { status }) })
  }
  if (verb !== 'show' && verb !== 'retry') throw new UsageError(`saga does not know '${verb}'`)
  if (id === undefined || given !== undefined) throw new UsageError(`${verb} takes the id of one saga`)
  return (control) => (verb === 'show' ? show : retry)(context, control, { ...ofService, id })
}

async function list(
  { terminal }: CommandContext,
  control: ControlCalls,
  filter: Parameters<ControlCalls['sagas']>[0],
): Promise<void> {
  const { items, hasMore } = await control.sagas(filter)
  terminal.result(items, () =>
    items.length === 0
      ? ['There is no such saga.']
      : table([
          ['ID', 'SAGA', 'STATUS', 'NEXT', 'ATTEMPTS', 'SINCE', 'LAST TROUBLE'],
          ...items.map((item) => [
            item.id,
            `${item.service} ${item.name}`,
            item.status,
            nextOf(item),
            String(item.attempts),
            item.createdAt,
            (item.error ?? item.cause)?.message.slice(0, 100) ?? '',
          ]),
        ]),
  )
  if (hasMore)
    terminal.line(`There are more than these ${items.length}; --service and --status narrow the list.`)
}

function nextOf({ step, direction }: Pick<SagaInfo, 'step' | 'direction'>): string {
  if (step === null) return '-'
  return direction === 'forward' ? step : `undo ${step}`
}

type Named = Parameters<ControlCalls['saga']>[0]

async function show({ terminal }: CommandContext, control: ControlCalls, named: Named): Promise<void> {
  const found = await control.saga(named)
  const { entries, state, error, cause, ...facts } = found
  const told = { ...facts, error: error?.message ?? null, cause: cause?.message ?? null }
  terminal.result(found, () => [
    ...table(Object.entries(told).map(([name, value]) => [`  ${name}`, String(value ?? '-')])),
    '',
    terminal.style('bold', 'What happened'),
    ...table(
      entries.map((entry) => [
        `  ${entry.at}`,
        nextOf(entry),
        entry.outcome,
        entry.error === null ? '' : `${entry.error.code}: ${entry.error.message}`,
      ]),
    ),
    '',
    terminal.style('bold', 'State'),
    JSON.stringify(state, undefined, 2),
  ])
}

async function retry({ terminal }: CommandContext, control: ControlCalls, named: Named): Promise<void> {
  const done = await control.retrySaga(named)
  terminal.result({ ...done, id: named.id }, () => [`${done.service} goes on with ${named.id}.`])
}
