/**
 * `flotilla events`: what services have told one another.
 *
 * @module
 */
import { systemClock } from '@flotilla/core/clock'
import type { eventLog } from '@flotilla/core/event-log-contract'
import type { OutputOf } from '@flotilla/core/operation'
import { loadApp } from '../../system/app-module.ts'
import { textOption, UsageError } from '../arguments.ts'
import type { Command, CommandContext } from '../command.ts'
import { type ControlCalls, dataFolderOf, withControl } from '../running-system.ts'
import { type Terminal, table } from '../terminal.ts'

type Operations = (typeof eventLog)['operations']
type LoggedEvent = OutputOf<Operations['read']>['items'][number]

/** Which events are wanted. */
interface Wanted {
  readonly topic?: string
  readonly key?: string
}

const LIMIT_DEFAULT = 20
/** What the log gives at once. */
const LIMIT_MAX = 100
const POLL_MS = 300

/** The command. */
export const events: Command = {
  name: 'events',
  usage: '[TOPIC] [--follow] [--limit N] [--key K]',
  summary: 'topics, or the last events of one',
  argumentsMax: 1,
  details: `Without anything it lists the topics, with position and time of the newest event of each. TOPIC is a kind of event
(orders.confirmed), all of a service ('orders.*'), or all there are ('*').`,
  options: {
    follow: { type: 'boolean', summary: 'go on with new events until Ctrl-C' },
    limit: { type: 'string', value: 'N', summary: `how many of the last events (default ${LIMIT_DEFAULT})` },
    key: { type: 'string', value: 'K', summary: 'only events with this key, such as the id of an order' },
  },
  async run(context) {
    const [topic] = context.positionals
    if (topic !== undefined && !/^(\*|[a-z][a-z0-9-]*\.(\*|[a-z][A-Za-z0-9]*))$/.test(topic))
      throw new UsageError(`${topic} is not a topic such as orders.confirmed or 'orders.*'`)
    const limit = Number(textOption(context, 'limit') ?? LIMIT_DEFAULT)
    if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX)
      throw new UsageError(`--limit must be a whole number from 1 to ${LIMIT_MAX}`)
    const key = textOption(context, 'key')
    const wanted = { ...(topic === undefined ? {} : { topic }), ...(key === undefined ? {} : { key }) }
    const isAboutEvents = ['follow', 'limit', 'key'].some((name) => context.options[name] !== undefined)
    const { root } = await loadApp(context.workingFolder)
    await withControl(dataFolderOf(context, root), async (control) => {
      if (topic === undefined && !isAboutEvents) await listTopics(context, control)
      else if (context.options['follow']) await follow(context, control, wanted, limit)
      else await list(context, control, wanted, limit)
    })
    return undefined
  },
}

/** Asks the log, which is a service like any other. */
async function ask<Name extends keyof Operations & string>(
  control: ControlCalls,
  name: Name,
  input: unknown,
): Promise<OutputOf<Operations[Name]>> {
  const { output } = await control.call({ operation: `events.${name}`, input })
  return output as OutputOf<Operations[Name]>
}

async function listTopics({ terminal }: CommandContext, control: ControlCalls): Promise<void> {
  const { items } = await ask(control, 'topics', {})
  terminal.result(items, () =>
    items.length === 0
      ? ['There is no event yet.']
      : table([
          ['TOPIC', 'NEWEST', 'AT'],
          ...items.map(({ topic, position, time }) => [topic, String(position), time]),
        ]),
  )
}

/** The last ones, oldest first. */
async function last(control: ControlCalls, wanted: Wanted, limit: number): Promise<readonly LoggedEvent[]> {
  const { items } = await ask(control, 'read', { ...wanted, limit })
  return items.toReversed()
}

async function list(
  { terminal }: CommandContext,
  control: ControlCalls,
  wanted: Wanted,
  limit: number,
): Promise<void> {
  const found = await last(control, wanted, limit)
  terminal.result(found, () =>
    found.length === 0 ? ['There is no such event.'] : found.map((logged) => pretty(terminal, logged)),
  )
}

/** Asks again and again: for people that is soon enough. */
async function follow(
  { terminal }: CommandContext,
  control: ControlCalls,
  wanted: Wanted,
  limit: number,
): Promise<void> {
  // Before the last ones are read, so that none is between the two.
  let { position: after } = await ask(control, 'head', {})
  for (let found = await last(control, wanted, limit); terminal.isRead; ) {
    for (const logged of found) terminal.item(logged, () => pretty(terminal, logged))
    after = Math.max(after, found.at(-1)?.position ?? 0)
    if (found.length < LIMIT_MAX) await systemClock.sleep(POLL_MS)
    found = (await ask(control, 'read', { ...wanted, after, limit: LIMIT_MAX })).items
  }
}

function pretty(terminal: Terminal, { position, event }: LoggedEvent): string {
  return [
    terminal.style('dim', event.time),
    terminal.style('dim', `#${position}`),
    terminal.style('cyan', event.type),
    event.key,
    JSON.stringify(event.data),
  ].join(' ')
}
