/**
 * `flotilla migrate` and `seed`: one-off tasks on the databases, whether the system runs or not.
 *
 * @module
 */
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@flotilla/core/clock'
import { Closing } from '@flotilla/core/closing'
import { createKeyPair, Signer } from '@flotilla/core/credentials'
import { FlotillaError } from '@flotilla/core/error'
import { createIds } from '@flotilla/core/ids'
import { createLogger } from '@flotilla/core/log'
import { systemRandom } from '@flotilla/core/random'
import type { Service } from '@flotilla/core/service'
import { type AppModule, loadAllServices, loadApp } from '../../system/app-module.ts'
import { findRunning } from '../../system/control-file.ts'
import { type DataFolder, Secrets } from '../../system/data-folder.ts'
import { embeddedUrls, externalUrlIn, openDatabases } from '../../system/databases.ts'
import { readPorts } from '../../system/ports.ts'
import { runTask } from '../../system/run-task.ts'
import { loginSettings } from '../../system/system.ts'
import type { Command, CommandContext } from '../command.ts'
import { dataFolderOf } from '../running-system.ts'

/** `flotilla migrate`. */
export const migrate: Command = {
  name: 'migrate',
  usage: '[SERVICE]',
  summary: 'bring databases up to date',
  argumentsMax: 1,
  run: (context) => run(context, 'migrate'),
}

/** `flotilla seed`. */
export const seed: Command = {
  name: 'seed',
  usage: '[SERVICE]',
  summary: 'put first data into empty databases',
  argumentsMax: 1,
  run: (context) => run(context, 'seed'),
}

async function run(context: CommandContext, task: 'migrate' | 'seed'): Promise<undefined> {
  const module = await loadApp(context.workingFolder)
  const services = await loadAllServices(module.app)
  const [only] = context.positionals
  if (only !== undefined && services.get(only)?.database === undefined) {
    throw new FlotillaError('not_found', `There is no service ${only} with a database.`)
  }
  const names = only === undefined ? [...services.keys()] : [only]
  const folder = dataFolderOf(context, module.root)
  folder.make()
  const stop = new AbortController()
  const canceled = new FlotillaError('canceled', `The task ${task} was ended before it was done.`)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => stop.abort(canceled))
  const onLost = (error: FlotillaError): void => stop.abort(error)
  await withDatabases(context, module, services, folder, onLost, async (databaseUrls, secrets) => {
    const keys = createKeyPair()
    await runTask({
      module,
      folder,
      task,
      services: names,
      signal: stop.signal,
      environment: {
        environment: context.environment,
        services: [...services.keys()],
        version: module.version,
        socketFolder: folder.sockets,
        registryPort: 0,
        processKey: keys.publicKey,
        userKey: keys.publicKey,
        signer: new Signer(keys.privateKey),
        credentialsUntil: systemClock.now(),
        databaseUrls,
        settings: {},
        taskSettings: loginSettings(module.app, secrets),
      },
    })
  })
  context.terminal.result({ task, services: names }, () => [`${task}: done.`])
  return undefined
}

/** The databases of a running system, or of one opened for the occasion. */
async function withDatabases(
  context: CommandContext,
  module: AppModule,
  services: ReadonlyMap<string, Service>,
  folder: DataFolder,
  onLost: (error: FlotillaError) => void,
  work: (urls: Readonly<Record<string, string>>, secrets: Secrets) => Promise<void>,
): Promise<void> {
  const secrets = new Secrets(folder, systemRandom)
  const externalUrl = externalUrlIn(context.environment)
  const options = {
    app: module.app.name,
    services,
    secrets,
    postgresPort: readPorts(module.app, context.environment).postgres,
  }
  const running = findRunning(folder)
  if (running !== undefined && externalUrl === undefined) {
    const { postgresPort } = running
    if (postgresPort !== undefined) return work(embeddedUrls({ ...options, postgresPort }), secrets)
    throw new FlotillaError(
      'failed_precondition',
      'What runs here uses the server that DATABASE_URL named when it was started; set DATABASE_URL here, too.',
    )
  }
  const closing = new Closing(systemClock)
  const logFile = openSync(join(folder.logs, 'supervisor.log'), 'a', 0o600)
  try {
    const databases = await openDatabases({
      ...options,
      folder,
      externalUrl,
      closing,
      onLost,
      ports: { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) },
      log: createLogger({
        level: 'info',
        clock: systemClock,
        fields: { instance: 'supervisor' },
        destination: logFile,
      }),
    })
    await work(databases.urls, secrets)
  } finally {
    await closing.close()
    closeSync(logFile)
  }
}
