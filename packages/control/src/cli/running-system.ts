/**
 * The running system that a command talks to.
 *
 * @module
 */
import { join } from 'node:path'
import { anonymous } from '@flotilla/core/caller'
import type { Calls } from '@flotilla/core/calls'
import { Cancellation } from '@flotilla/core/cancellation'
import { Client } from '@flotilla/core/client'
import { systemClock } from '@flotilla/core/clock'
import type { CallContext } from '@flotilla/core/context'
import type { Contract } from '@flotilla/core/contract'
import { fixedDirectory } from '@flotilla/core/directory'
import { FlotillaError } from '@flotilla/core/error'
import { openHttpChannel } from '@flotilla/core/http-channel'
import { createHttpClient } from '@flotilla/core/http-client'
import { createIds } from '@flotilla/core/ids'
import { Metrics } from '@flotilla/core/metrics'
import type { Operation } from '@flotilla/core/operation'
import { systemRandom } from '@flotilla/core/random'
import { SpanRing } from '@flotilla/core/spans'
import { TimerWheel } from '@flotilla/core/timer-wheel'
import { TraceContext } from '@flotilla/core/trace-context'
import { controlContract } from '../api/contract.ts'
import { observeContract } from '../api/observe-contract.ts'
import { loadApp } from '../system/app-module.ts'
import { CONSOLE_KEY } from '../system/console-pages.ts'
import { type ControlFile, findRunning } from '../system/control-file.ts'
import { DataFolder, Secrets } from '../system/data-folder.ts'
import { textOption } from './arguments.ts'
import type { CommandContext } from './command.ts'

/** The functions of the control API. */
export type ControlCalls = Calls<typeof controlContract>

/** Where the data folder is, or would be: `--data`, `FLOTILLA_DATA`, or `.flotilla` in the checkout. */
export function dataFolderOf(context: CommandContext, root: string): DataFolder {
  return new DataFolder(namedFolder(context) ?? join(root, '.flotilla'))
}

/** The same for a command that needs no app: one that names its data folder may run anywhere. */
export async function findDataFolder(context: CommandContext): Promise<DataFolder> {
  const named = namedFolder(context)
  return named === undefined
    ? dataFolderOf(context, (await loadApp(context.workingFolder)).root)
    : new DataFolder(named)
}

function namedFolder(context: CommandContext): string | undefined {
  // An empty one is none: it would be the working folder.
  return textOption(context, 'data') || context.environment['FLOTILLA_DATA'] || undefined
}

/** The functions that observe. */
export type ObserveCalls = Calls<typeof observeContract>

/** @throws FlotillaError `failed_precondition` when nothing runs. */
export function runningSystem(folder: DataFolder): ControlFile {
  const file = findRunning(folder)
  if (file !== undefined) return file
  throw new FlotillaError(
    'failed_precondition',
    `Nothing runs with the data folder ${folder.path}; start it with: npm start`,
  )
}

/**
 * Runs `work` with the running system's control API.
 *
 * @throws FlotillaError `failed_precondition` when nothing runs.
 */
export function withControl<T>(
  folder: DataFolder,
  work: (control: ControlCalls, file: ControlFile) => Promise<T>,
): Promise<T> {
  return withContract(folder, controlContract, work)
}

/** The same with the functions that observe. */
export function withObserve<T>(folder: DataFolder, work: (observe: ObserveCalls) => Promise<T>): Promise<T> {
  return withContract(folder, observeContract, work)
}

/**
 * Asks the running system as its console does before changes are allowed: who may only look.
 *
 * @throws FlotillaError `failed_precondition` when nothing runs.
 */
export async function askAsViewer(
  folder: DataFolder,
  operation: Operation,
  input: unknown,
  cancellation: Cancellation,
): Promise<unknown> {
  const file = runningSystem(folder)
  const credential = new Secrets(folder, systemRandom).get(CONSOLE_KEY)
  return withClient({ folder, file, credential, cancellation }, (client, context) =>
    client.ask(client.outgoing(operation), input, context, anonymous, {}),
  )
}

async function withContract<C extends Contract, T>(
  folder: DataFolder,
  contract: C,
  work: (calls: Calls<C>, file: ControlFile) => Promise<T>,
): Promise<T> {
  const file = runningSystem(folder)
  const asker = { folder, file, credential: file.token, cancellation: new Cancellation() }
  return withClient(asker, (client, context) => work(client.calls(contract, context, undefined), file))
}

/** Who asks which system. */
interface Asker {
  readonly folder: DataFolder
  readonly file: ControlFile
  readonly credential: string
  readonly cancellation: Cancellation
}

async function withClient<T>(
  { folder, file, credential, cancellation }: Asker,
  work: (client: Client, context: CallContext) => Promise<T>,
): Promise<T> {
  await untilItAnswers(file, folder, cancellation.signal)
  const wheel = new TimerWheel(systemClock)
  const channel = await openHttpChannel({ origin: file.url, clock: systemClock, wheel, credential })
  const client = new Client({
    ports: { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) },
    metrics: new Metrics(),
    spans: new SpanRing({ sizeMax: 16 }),
    directory: fixedDirectory([]),
    localChannel: () => channel,
    openChannel: async () => channel,
  })
  try {
    return await work(client, {
      caller: anonymous,
      deadlineMs: Number.POSITIVE_INFINITY,
      trace: TraceContext.start(systemRandom, false),
      criticality: 'critical',
      cancellation,
    })
  } finally {
    await channel.close()
  }
}

/** The control process comes back within seconds when it ends, and what runs without it goes on. */
const AWAY_MS_MAX = 5_000
const LOOK_MS = 100

/** Waits until the control API answers. @throws FlotillaError `unavailable` when it does not within five seconds. */
async function untilItAnswers({ url }: ControlFile, folder: DataFolder, signal: AbortSignal): Promise<void> {
  const giveUpMs = systemClock.monotonicMs() + AWAY_MS_MAX
  const http = createHttpClient(systemClock)
  const ask = (): Promise<unknown> =>
    http
      .send({ method: 'GET', url: `${url}/health/live`, timeoutMs: AWAY_MS_MAX, signal })
      .catch((error: unknown) => {
        signal.throwIfAborted()
        if (systemClock.monotonicMs() > giveUpMs) throw notThere(folder, error)
        return systemClock.sleep(LOOK_MS, signal).then(ask)
      })
  try {
    await ask()
  } finally {
    await http.close()
  }
}

function notThere({ logs }: DataFolder, cause: unknown): FlotillaError {
  return new FlotillaError(
    'unavailable',
    `The control process does not answer; it is started again when it ends, so try again, or see ${join(logs, 'control.log')}`,
    { executed: 'no', cause },
  )
}
