/**
 * One instance of a service that has a database and no operations, without a host around it: for tests of what instances
 * share out among themselves. Several on one database are several instances of one service.
 *
 * @module
 */
import { systemClock } from '../kernel/clock.ts'
import { Closing } from '../kernel/closing.ts'
import type { Ports } from '../kernel/context.ts'
import { FlotillaError } from '../kernel/error.ts'
import { createIds } from '../kernel/ids.ts'
import { systemRandom } from '../kernel/random.ts'
import { Background } from '../service/background.ts'
import type { ServiceRuntime } from '../service/definition.ts'
import { type Database, openDatabase } from '../store/database.ts'
import { openWorker, type Worker } from '../store/worker.ts'
import type { Logger } from '../telemetry/log.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { SpanRing } from '../telemetry/spans.ts'
import type { TestDatabase } from './test-database.ts'

/** What to open. */
export interface TestInstanceOptions {
  /** The instance's name, which its connections have too. Default `desk-1`, `desk-2` … */
  readonly name?: string
  /** By which it reaches the database; default the test's own. */
  readonly url?: string
  /** Connections at most. Default 10. */
  readonly poolMax?: number
}

/** A line that was logged. */
export interface TestLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
}

/** What of a service's runtime works without a host. */
export interface TestInstance
  extends Ports,
    Pick<
      ServiceRuntime,
      'instance' | 'log' | 'metrics' | 'spans' | 'closing' | 'every' | 'isDraining' | 'run'
    > {
  readonly database: Database
  readonly worker: Worker
  /** Of its spans. */
  readonly ring: SpanRing
  readonly lines: readonly TestLine[]
  /** From now on it is draining, as a host is before it ends. */
  drain(): void
  /** Ends in order. */
  close(): Promise<void>
  /** As if the process were gone: the others see a dead worker at once, and nothing of what still runs reaches the database. */
  vanish(): Promise<void>
}

let opened = 0

/** Opens an instance on a migrated database; closed after the test. */
export async function openTestInstance(
  t: { after(cleanUp: () => Promise<void>): void },
  test: TestDatabase,
  { name = `desk-${++opened}`, url = test.url, poolMax = 10 }: TestInstanceOptions = {},
): Promise<TestInstance> {
  const ports: Ports = {
    clock: systemClock,
    random: systemRandom,
    newId: createIds(systemClock, systemRandom),
  }
  const closing = new Closing(systemClock)
  const lines: TestLine[] = []
  const log = loggerTo(lines)
  const database = openDatabase({ url, name, ports, poolMax, log })
  closing.defer('database', () => database.close())
  const metrics = new Metrics()
  const worker = await openWorker({ database, ports, instance: name, log, closing })
  const ring = new SpanRing()
  const spans = ring.of('desk')
  const environment = {
    service: 'desk',
    ports,
    log,
    metrics,
    spans,
    database,
    callsOf: callsNobody,
    outbox: undefined,
  }
  const background = new Background(environment, metrics, closing)
  let isDraining = false
  const close = (): Promise<void> => closing.close()
  t.after(close)
  return {
    ...ports,
    instance: name,
    log,
    metrics,
    ring,
    spans,
    closing,
    database,
    worker,
    lines,
    isDraining: () => isDraining,
    drain() {
      isDraining = true
    },
    every: (task, intervalMs, work) => background.every(task, intervalMs, work),
    run: (task, timeoutMs, work, origin) => background.run(task, timeoutMs, work, origin),
    close,
    async vanish() {
      await worker.close()
      const closed = database.close()
      await test.ask('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [
        name,
      ])
      await closed
    },
  }
}

function loggerTo(lines: TestLine[]): Logger {
  const keep = (level: TestLine['level']) => (message: string) => void lines.push({ level, message })
  const log: Logger = {
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
    with: () => log,
  }
  return log
}

function callsNobody(): never {
  throw new FlotillaError('failed_precondition', 'No other service runs in this test.')
}
