/**
 * The control process, as the supervisor has it: started beside the services, told what there is, and ended after them.
 *
 * @module
 */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Clock, isoTime, type Timer } from '@flotilla/core/clock'
import type { KeyPairText } from '@flotilla/core/credentials'
import type { FromControl } from '../supervisor/fleet.ts'
import { FleetDesk } from '../supervisor/fleet-desk.ts'
import type { ProcessSlot } from '../supervisor/process-slot.ts'
import type { Supervisor } from '../supervisor/supervisor.ts'
import { CONSOLE_KEY, TELEMETRY_KEY } from './console-pages.ts'
import { tellControl } from './control-told.ts'
import type { Databases } from './databases.ts'
import { type EnvironmentOptions, hostEnvironment } from './host-environment.ts'
import { gatewayOrigin } from './ports.ts'
import type { SystemOptions } from './system-options.ts'

/** What is open already. */
interface Opened {
  readonly databases: Databases
  readonly environment: EnvironmentOptions
  readonly userKeys: KeyPairText
  readonly supervisor: Supervisor
}

/** Name of the process, and of its log. */
const CONTROL = 'control'
/** It has the services `control` and `observe`. */
const SERVICES = [CONTROL, 'observe']
/** In a bundle as beside this module. */
const PROGRAM = new URL('./control-process.js', import.meta.url)
/**
 * What lives in its heap for long is some 35 MB. Where the heap may have 2 GB or more, as by default on a machine with much memory, V8 lets it
 * become four times that before it looks what is garbage, with this bound 1.6 times (`MaxGrowingFactor` in V8's heap-controller.cc).
 */
const HEAP_MB_MAX = 1_024
const STATE_MS = 2_000
/** For those that look to stop looking; one that hangs is not waited for. */
const QUIET_MS = 1_000
/** For what was gathered to be on the disk. */
const GRACE_MS = 3_000

/** The process. */
export class ControlProcess {
  readonly #slot: ProcessSlot
  readonly #desk: FleetDesk
  readonly #clock: Clock
  #timer: Timer | undefined
  #isClosing = false

  constructor(options: SystemOptions, opened: Opened) {
    const { ports, onDown, onStep } = options
    const { supervisor } = opened
    this.#clock = ports.clock
    this.#desk = new FleetDesk({
      supervisor,
      clock: ports.clock,
      self: CONTROL,
      onDown,
      onUnwatched: (why) => onStep(`nothing is watched: ${why}`),
    })
    const told = environmentOf(options, opened)
    this.#slot = supervisor.accompany({
      name: CONTROL,
      services: SERVICES,
      command(attempt) {
        const instance = `${CONTROL}-${attempt.toString(36)}${Buffer.from(ports.random.bytes(3)).toString('hex')}`
        const host = hostEnvironment(opened.environment, { instance, services: SERVICES })
        return {
          program: process.execPath,
          args: [`--max-old-space-size=${HEAP_MB_MAX}`, fileURLToPath(PROGRAM)],
          environment: { ...host, ...told },
          instance,
        }
      },
      onMessage: (message, reply) => this.#desk.take(message as FromControl, reply),
    })
  }

  /** Has it load what it needs. */
  load(): void {
    this.#slot.load()
  }

  /** Has it begin. */
  open(): void {
    this.#slot.open()
    this.#tellLater()
  }

  /** Resolves when its API answers, or it was stopped. */
  whenReady(): Promise<void> {
    return this.#slot.whenReady()
  }

  /** To be called when a process has changed. */
  changed(slot: ProcessSlot): void {
    // What it would gather in the rest of the time is not worth another start.
    const isNew = slot.state === 'waiting' || slot.state === 'starting'
    if (this.#isClosing && slot === this.#slot && isNew) void slot.stop(0)
    else this.#slot.tell(this.#desk.state)
  }

  /** Before anything is stopped: has it look no more, lest it tells of processes that end. */
  async quiet(): Promise<void> {
    this.#isClosing = true
    this.#timer?.cancel()
    if (this.#slot.state !== 'ready') return this.#slot.stop(GRACE_MS)
    const quiet = this.#desk.quiet()
    this.#slot.tell({ kind: 'closing' })
    await new Promise<void>((resolve) => {
      const timer = this.#clock.schedule(QUIET_MS, resolve)
      void quiet.then(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  /** When all others have ended: has it write down what they said last, and end. */
  stop(): Promise<void> {
    return this.#slot.stop(GRACE_MS)
  }

  #tellLater(): void {
    this.#timer = this.#clock.schedule(STATE_MS, () => {
      this.#slot.tell(this.#desk.state)
      this.#tellLater()
    })
  }
}

/** What it is told beside what every host is. */
function environmentOf(options: SystemOptions, { databases, userKeys }: Opened): Record<string, string> {
  const { module, folder, placement, placeable, secrets, tcp, ports, environment } = options
  const alertRules = environment['FLOTILLA_ALERTS']
  const singles = placeable.filter(({ isSingle }) => isSingle).map(({ name }) => name)
  return {
    ...tellControl({
      root: module.root,
      folder: folder.path,
      placement,
      singles: Object.entries(placement.hosts)
        .filter(([, { services }]) => services.some((name) => singles.includes(name)))
        .map(([host]) => host),
      gateway: gatewayOrigin(tcp, environment),
      startedAt: isoTime(ports.clock.now()),
      databases: { description: databases.description, urls: databases.urls },
      userKey: userKeys.privateKey,
      token: secrets.get('control token'),
      consoleKey: secrets.get(CONSOLE_KEY),
      telemetryKey: secrets.get(TELEMETRY_KEY),
      alertRules: alertRules ? resolve(alertRules) : undefined,
    }),
    FLOTILLA_HTTP_PORT: String(tcp.control),
    // Nobody is sent to another one meanwhile.
    FLOTILLA_DRAIN_DELAY_MS: '0',
    // Who looks is not to be seen: it would be most of what there is.
    FLOTILLA_TELEMETRY_URL: '',
    OTEL_TRACES_EXPORTER: 'none',
  }
}
