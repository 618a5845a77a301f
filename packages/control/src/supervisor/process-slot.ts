/**
 * One process that should be there: started, watched, started again when it ends by itself.
 *
 * Life of a slot:
 *
 * - **starting**: the process was spawned and has not said yet that it is ready. More than 30 s of it, and it is killed; a process that is held
 *   has them from when it was told to open.
 * - **ready**: it said so, and goes on telling how it is from its event loop, every two seconds. One that is silent for five
 *   looks of ours, a second apart, is stopped or hangs, and is killed. We count looks, not time: while this process or the whole machine
 *   stood still, nobody could have told us anything.
 * - **waiting**: it ended by itself; the next start comes after the wait of `RestartPolicy`.
 * - **stopping**: told to end (SIGTERM); after the time it is given, killed.
 * - **stopped**: over.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Clock, Timer } from '@flotilla/core/clock'
import type { Random } from '@flotilla/core/random'
import type { HostMessage, SupervisorMessage } from '@flotilla/core/run-host'
import type { LogFile } from './log-file.ts'
import { RestartPolicy } from './restart-policy.ts'

/** Where a slot is in its life. */
export type SlotState = 'starting' | 'ready' | 'waiting' | 'stopping' | 'stopped'

/** What a slot is made of. */
export interface SlotOptions {
  /** Name of the slot, such as `catalog-1`. */
  readonly name: string
  readonly host: string
  readonly clock: Clock
  readonly random: Random
  readonly log: LogFile
  /** Longest wait before another start; default 15,000. */
  readonly restartMsMax?: number | undefined
  /** Program and arguments, and the environment for the next start; `attempt` counts from 1. */
  readonly command: (attempt: number) => SlotCommand
  /** Told of every change of state; must not throw. */
  readonly onChange: (slot: ProcessSlot) => void
  /** Told of traces that the process has seen to be slow or to fail. Default nobody. */
  readonly onTracesKept?: (slot: ProcessSlot, traceIds: readonly string[]) => void
  /** Told of what is no message of a host; `reply` goes to the very process that said it, or nowhere. Default nobody. */
  readonly onMessage?: (message: Message, reply: (answer: Message) => void) => void
}

/** What goes over the channel, as plain data. */
export interface Message {
  readonly kind: string
}

/** What is run. */
export interface SlotCommand {
  readonly program: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Name of the instance this process will be. */
  readonly instance: string
}

/** The last thing a process told about itself. */
export interface SlotStats {
  /** Share of one core since the message before, 0 to about 1. */
  readonly cpuRatio: number
  readonly rssBytes: number
  readonly inFlight: number
  readonly loopDelayMs: number
}

const START_MS_MAX = 30_000
const LOOK_MS = 1_000
const SILENT_LOOKS_MAX = 5

/** A slot. */
export class ProcessSlot {
  readonly #options: SlotOptions
  readonly #policy: RestartPolicy
  #child: ChildProcess | undefined
  #state: SlotState = 'stopped'
  #timer: Timer | undefined
  #attempt = 0
  #startedMs = 0
  #readySinceMs: number | undefined
  #lastStats: { readonly atMs: number; readonly cpuMs: number } | undefined
  #silentLooks = 0
  #isHeld = false
  #ended: Promise<void> = Promise.resolve()
  readonly #whenReady: (() => void)[] = []
  instance = ''
  http = ''
  stats: SlotStats | undefined
  /** Why it ended last by itself. */
  lastEnd: string | undefined

  constructor(options: SlotOptions) {
    this.#options = options
    this.#policy = new RestartPolicy(options.random, options.restartMsMax)
  }

  get name(): string {
    return this.#options.name
  }

  get host(): string {
    return this.#options.host
  }

  get state(): SlotState {
    return this.#state
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** It loads, or waits to be told that it may open. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Starts so far, the first included. */
  get starts(): number {
    return this.#attempt
  }

  get isLooping(): boolean {
    return this.#policy.isLooping(this.#options.clock.monotonicMs())
  }

  /** Milliseconds since the present process was started. */
  get uptimeMs(): number {
    return this.#child === undefined ? 0 : this.#options.clock.monotonicMs() - this.#startedMs
  }

  /** Starts the process, and has it load what it needs, and wait for `open`. */
  load(): void {
    this.#isHeld = true
    this.start()
  }

  /** Has a process that is held go on. */
  open(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    // Where there is none just now, the next one is not held.
    if (this.#state !== 'starting') return
    this.#timeStart()
    const open: SupervisorMessage = { kind: 'open' }
    this.tell(open)
  }

  /** Starts the process. */
  start(): void {
    const { clock, command, log } = this.#options
    this.#attempt++
    const { program, args, environment, instance } = command(this.#attempt)
    this.instance = instance
    this.#startedMs = clock.monotonicMs()
    this.#readySinceMs = undefined
    this.#lastStats = undefined
    this.#silentLooks = 0
    this.stats = undefined
    this.http = ''
    // A process group of its own: Ctrl-C in the terminal is for us, and we tell the process in good order.
    const child = spawn(program, args, {
      detached: true,
      env: this.#isHeld ? { ...environment, FLOTILLA_IS_HELD: 'true' } : environment,
      stdio: ['ignore', log.descriptor, log.descriptor, 'ipc'],
    })
    this.#child = child
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => this.#onEnd(child, error.message, resolve))
      child.once('exit', (code, signal) => this.#onEnd(child, signal ?? `exit code ${code}`, resolve))
    })
    child.on('message', (message) => this.#onMessage(child, message as Message))
    if (!this.#isHeld) this.#timeStart()
    this.#become('starting')
  }

  #timeStart(): void {
    const child = this.#child
    this.#timer = this.#options.clock.schedule(START_MS_MAX, () => child?.kill('SIGKILL'))
  }

  /** Tells the process, unless it is ending. What comes before it listens waits for it. */
  tell(message: Message): void {
    // Its channel may be ending all the same.
    if (this.#state === 'starting' || this.#state === 'ready') this.#child?.send(message, () => {})
  }

  /** Resolves when the process is ready, or the slot was stopped. */
  async whenReady(): Promise<void> {
    if (this.#state === 'ready' || this.#state === 'stopped') return
    await new Promise<void>((resolve) => this.#whenReady.push(resolve))
  }

  /** Ends the process: asks it, once, and kills it after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    const { clock } = this.#options
    // A second request would be a second SIGTERM, at which a host stops draining.
    if (this.#state === 'stopping') return this.#ended
    this.#timer?.cancel()
    const child = this.#child
    if (child === undefined) return this.#become('stopped')
    this.#become('stopping')
    child.kill('SIGTERM')
    const timer = clock.schedule(graceMs, () => child.kill('SIGKILL'))
    await this.#ended
    timer.cancel()
  }

  /** Ends the process as a crash would: it is started again. Does nothing where there is none. */
  kill(): void {
    this.#child?.kill('SIGKILL')
  }

  /** Kills the process when it has been silent for too long, and looks again otherwise. */
  #watch(child: ChildProcess): void {
    this.#timer = this.#options.clock.schedule(LOOK_MS, () => {
      if (this.#silentLooks++ < SILENT_LOOKS_MAX) this.#watch(child)
      else child.kill('SIGKILL')
    })
  }

  #onMessage(child: ChildProcess, message: Message): void {
    const { clock, onMessage } = this.#options
    // What a process said last may come after its end.
    if (this.#child !== child) return
    this.#silentLooks = 0
    if (!isOfHost(message)) return onMessage?.(message, (answer) => child.send(answer, () => {}))
    if (message.kind === 'ready') {
      if (this.#state !== 'starting') return
      this.#timer?.cancel()
      this.#readySinceMs = clock.monotonicMs()
      this.http = message.http
      this.#watch(child)
      this.#become('ready')
      return
    }
    if (message.kind === 'keep') return this.#options.onTracesKept?.(this, message.traceIds)
    const nowMs = clock.monotonicMs()
    const last = this.#lastStats ?? { atMs: this.#startedMs, cpuMs: 0 }
    const { cpuMs, rssBytes, inFlight, loopDelayMs } = message
    this.stats = {
      cpuRatio: (cpuMs - last.cpuMs) / Math.max(1, nowMs - last.atMs),
      rssBytes,
      inFlight,
      loopDelayMs,
    }
    this.#lastStats = { atMs: nowMs, cpuMs }
  }

  #onEnd(child: ChildProcess, why: string, resolve: () => void): void {
    if (this.#child !== child) return
    const { clock } = this.#options
    this.#timer?.cancel()
    const nowMs = clock.monotonicMs()
    const livedMs = nowMs - this.#startedMs
    this.#child = undefined
    resolve()
    if (this.#state === 'stopping') return this.#become('stopped')
    const isHung = this.#silentLooks > SILENT_LOOKS_MAX
    this.lastEnd = `${isHung ? `killed, since it gave no sign of life for ${SILENT_LOOKS_MAX} s,` : why} after ${(livedMs / 1000).toFixed(1)} s`
    const waitMs = this.#policy.ended(nowMs, nowMs - (this.#readySinceMs ?? nowMs))
    this.#timer = clock.schedule(waitMs, () => this.start())
    this.#become('waiting')
  }

  #become(state: SlotState): void {
    this.#state = state
    if (state === 'ready' || state === 'stopped') for (const resolve of this.#whenReady.splice(0)) resolve()
    this.#options.onChange(this)
  }
}

const HOST_KINDS: readonly string[] = ['ready', 'keep', 'stats'] satisfies readonly HostMessage['kind'][]

function isOfHost(message: Message): message is HostMessage {
  return HOST_KINDS.includes(message.kind)
}
