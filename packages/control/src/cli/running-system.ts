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
import type { Contract } from '@flotilla/core/contract'
import { fixedDirectory } from '@flotilla/core/directory'
import { FlotillaError } from '@flotilla/core/error'
import { openHttpChannel } from '@flotilla/core/http-channel'
import { createHttpClient } from '@flotilla/core/http-client'
import { createIds } from '@flotilla/core/ids'
import { Metrics } from '@flotilla/core/metrics'
import { systemRandom } from '@flotilla/core/random'
import { SpanRing } from '@flotilla/core/spans'
import { TimerWheel } from '@flotilla/core/timer-wheel'
import { TraceContext } from '@flotilla/core/trace-context'
import { controlContract } from '../api/contract.ts'
import { observeContract } from '../api/observe-contract.ts'
import { type ControlFile, findRunning } from '../system/control-file.ts'
import { DataFolder } from '../system/data-folder.ts'
import { textOption } from './arguments.ts'
import type { CommandContext } from './command.ts'

/** The functions of the control API. */
export type ControlCalls = Calls<typeof controlContract>

/** Where the data folder is, or would be: `--data`, `FLOTILLA_DATA`, or `.flotilla` in the checkout. */
export function dataFolderOf(context: CommandContext, root: string): DataFolder {
  // An empty one is none: it would be the working folder.
  const given = textOption(context, 'data') || context.environment['FLOTILLA_DATA']
  return new DataFolder(given || join(root, '.flotilla'))
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

async function withContract<C extends Contract, T>(
  folder: DataFolder,
  contract: C,
  work: (calls: Calls<C>, file: ControlFile) => Promise<T>,
): Promise<T> {
  const file = runningSystem(folder)
  await untilItAnswers(file, folder)
  const wheel = new TimerWheel(systemClock)
  const channel = await openHttpChannel({
    origin: file.url,
    clock: systemClock,
    wheel,
    credential: file.token,
  })
  const client = new Client({
    ports: { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) },
    metrics: new Metrics(),
    spans: new SpanRing({ sizeMax: 16 }),
    directory: fixedDirectory([]),
    localChannel: () => channel,
    openChannel: async () => channel,
  })
  try {
    const context = {
      caller: anonymous,
      deadlineMs: Number.POSITIVE_INFINITY,
      trace: TraceContext.start(systemRandom, false),
      criticality: 'critical' as const,
      cancellation: new Cancellation(),
    }
    return await work(client.calls(contract, context, undefined), file)
  } finally {
    await channel.close()
  }
}

/** The control process comes back within seconds when it ends, and what runs without it goes on. */
const AWAY_MS_MAX = 5_000
const LOOK_MS = 100

/** Waits until the control API answers. @throws FlotillaError `unavailable` when it does not within five seconds. */
async function untilItAnswers({ url }: ControlFile, folder: DataFolder): Promise<void> {
  const giveUpMs = systemClock.monotonicMs() + AWAY_MS_MAX
  const http = createHttpClient(systemClock)
  const ask = (): Promise<unknown> =>
    http
      .send({ method: 'GET', url: `${url}/health/live`, timeoutMs: AWAY_MS_MAX })
      .catch((error: unknown) => {
        if (systemClock.monotonicMs() > giveUpMs) throw notThere(folder, error)
        return systemClock.sleep(LOOK_MS).then(ask)
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
