/**
 * One-off tasks: bringing databases up to date, putting first data into them.
 *
 * @module
 */
import { join } from 'node:path'
import { Outbox } from '../events/outbox.ts'
import { Closing } from '../kernel/closing.ts'
import type { Ports } from '../kernel/context.ts'
import { FlotillaError } from '../kernel/error.ts'
import { Background } from '../service/background.ts'
import type { DatabaseSpec, Service } from '../service/definition.ts'
import { openDatabase } from '../store/database.ts'
import { migrate } from '../store/migrate.ts'
import { platformMigrations } from '../store/migration-files.ts'
import type { Logger } from '../telemetry/log.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { SpanRing } from '../telemetry/spans.ts'
import { type App, loadServices } from './app.ts'
import type { Environment } from './config.ts'
import { readServiceSettings, type ServiceSettings } from './open-service.ts'

/** What can be done. */
export const tasks = ['migrate', 'seed', 'prepare'] as const

/** One of the tasks; `prepare` is `migrate`, then `seed`. */
export type Task = (typeof tasks)[number]

/** What a task needs. */
export interface TaskOptions {
  readonly app: App
  readonly services: readonly string[]
  readonly environment: Environment
  readonly ports: Ports
  readonly log: Logger
}

const SEED_MS = 120_000

/** Runs a task for the services that have a database. */
export async function runTask(task: Task, options: TaskOptions): Promise<void> {
  const { app, environment, log } = options
  const services = (await loadServices(app, options.services)).filter(
    ({ database }) => database !== undefined,
  )
  const settings = readServiceSettings(services, environment)
  for (const service of services) {
    const its = settings.get(service) as ServiceSettings
    if (task !== 'seed') await migrateService(app, service, its, log)
    if (task !== 'migrate') await seedService(service, its, options)
  }
}

async function migrateService(
  app: App,
  service: Service,
  settings: ServiceSettings,
  log: Logger,
): Promise<void> {
  const { migrations } = service.database as DatabaseSpec
  const own = typeof migrations === 'string' ? join(app.folder, migrations) : migrations
  const applied = await migrate(settings.databaseUrl as string, [
    platformMigrations,
    { name: service.contract.name, folder: own },
  ])
  if (applied.length > 0) log.info('migrated', { of: service.contract.name, applied })
}

async function seedService(service: Service, settings: ServiceSettings, options: TaskOptions): Promise<void> {
  const { seed, contract } = service
  if (seed === undefined) return
  const { ports } = options
  const { name } = contract
  const closing = new Closing(ports.clock)
  const log = options.log.with({ service: name })
  const database = openDatabase({ url: settings.databaseUrl as string, name, ports, poolMax: 2, log })
  closing.defer('database', () => database.close())
  // Sent when the service runs.
  const outbox = new Outbox(name, ports, () => {})
  const spans = new SpanRing({ sizeMax: 1 }).of(name)
  const metrics = new Metrics()
  const environment = { service: name, ports, log, metrics, spans, database, callsOf: callsNobody, outbox }
  try {
    await new Background(environment, metrics, closing).run('seed', SEED_MS, (ctx) =>
      seed(ctx, settings.config),
    )
  } finally {
    await closing.close()
  }
}

function callsNobody(): never {
  throw new FlotillaError(
    'failed_precondition',
    'A seed works on its own database; no other service runs yet.',
  )
}
