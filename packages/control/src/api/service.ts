/**
 * The control API's server: a service whose handlers act on the supervisor.
 *
 * @module
 */
import type { Caller } from '@flotilla/core/caller'
import { type Contract, operationsOf } from '@flotilla/core/contract'
import { isFlotillaError } from '@flotilla/core/error'
import type { InputOf, Operation } from '@flotilla/core/operation'
import {
  type AnyHandler,
  defineService,
  type Handlers,
  type OperationContext,
  type PassOn,
  type Service,
} from '@flotilla/core/service'
import type { Supervisor } from '../supervisor/supervisor.ts'
import { hostOfService, type Placement } from '../topology/placement.ts'
import type { Audit } from './audit.ts'
import { controlContract, type ProcessInfo, type Status } from './contract.ts'
import { ServiceDatabases } from './databases.ts'
import { parkedHandlers } from './parked.ts'
import { sagaHandlers } from './sagas.ts'

/** What the API acts on. */
export interface ControlOptions {
  readonly app: string
  readonly version: string
  readonly placement: Placement
  readonly contracts: readonly Contract[]
  readonly supervisor: Supervisor
  readonly gateway: string
  readonly startedAt: string
  /** Where they are, for people; their URLs by service. */
  readonly databases: { readonly description: string; readonly urls: Readonly<Record<string, string>> }
  /** Hosts that can run once only. */
  readonly isSingle: (host: string) => boolean
  /** As whom `call` calls. */
  readonly administrator: () => Caller
  /** Begins to stop the system. */
  readonly onDown: () => void
  readonly audit: Audit
}

/** How long a process may take to end when its host shrinks. */
const SHRINK_GRACE_MS = 30_000

/** Declares the control service of one running system. */
export function controlService(options: ControlOptions): Service {
  const { supervisor, placement } = options
  return defineService({
    contract: controlContract,
    open({ outgoing, clock, random, newId }) {
      const databases = new ServiceDatabases(options.databases.urls, { clock, random, newId })
      const known = new Map(
        options.contracts.flatMap(operationsOf).map((operation) => [operation.id, operation]),
      )
      const operations = new Map([...known].map(([id, operation]) => [id, outgoing(operation)]))
      return audited(options.audit, known, {
        ...parkedHandlers(databases),
        ...sagaHandlers(databases),
        status: () => statusOf(options),
        processes: () => ({
          items: Object.keys(placement.hosts).flatMap((host) => processesOf(options, host)),
        }),
        async scale({ service, instances }, ctx) {
          const host = hostOfService(placement, service)
          if (host === undefined) throw ctx.fail('no_service', `There is no service ${service}.`)
          if (instances > 1 && options.isSingle(host))
            throw ctx.fail('single', `The host ${host} can run once only.`)
          await supervisor.scale(host, instances, SHRINK_GRACE_MS)
          return { host, instances }
        },
        async restart({ process }, ctx) {
          if (await supervisor.restart(process, SHRINK_GRACE_MS)) return {}
          throw ctx.fail('no_process', `There is no process ${process}.`)
        },
        kill({ process }, ctx) {
          if (supervisor.kill(process)) return {}
          throw ctx.fail('no_process', `There is no process ${process}.`)
        },
        async call({ operation, input }, ctx) {
          const target = operations.get(operation)
          if (target === undefined) throw ctx.fail('no_operation', `There is no operation ${operation}.`)
          return { output: await callAs(options.administrator(), target, input, ctx) }
        },
        down() {
          options.onDown()
          return {}
        },
      })
    },
  })
}

/** The same handlers; what commands do is written down. */
function audited(
  audit: Audit,
  known: ReadonlyMap<string, Operation>,
  handlers: Handlers<typeof controlContract>,
): Handlers<typeof controlContract> {
  const all = handlers as Record<string, AnyHandler>
  const entries = Object.entries(all).map(([name, handler]): [string, AnyHandler] => {
    const operation: Operation = controlContract.operations[name as keyof typeof controlContract.operations]
    return [
      name,
      (input, ctx) => {
        const asked = askedOf(operation, input, known)
        if (asked.kind !== 'command') return handler(input, ctx)
        const { id, input: its } = asked
        const entry = { by: ctx.caller.user?.id ?? '-', operation: id, input: its }
        return audit.record(entry, () => handler(input, ctx))
      },
    ]
  })
  // The same names, and around each handler one that takes and gives the same.
  return Object.fromEntries(entries) as unknown as Handlers<typeof controlContract>
}

/** What somebody wants: of a call to a service, what is to be called there, which may change nothing. */
function askedOf(
  { id, kind }: Operation,
  input: unknown,
  known: ReadonlyMap<string, Operation>,
): Pick<Operation, 'id' | 'kind'> & { readonly input: unknown } {
  if (id !== controlContract.operations.call.id) return { id, kind, input }
  const { operation, input: its } = input as InputOf<typeof controlContract.operations.call>
  const target = known.get(operation)
  return target === undefined ? { id, kind, input } : { id: target.id, kind: target.kind, input: its }
}

/** Makes a call; a refusal is told whole, since the operator is who should know. */
function callAs(
  caller: Caller,
  target: PassOn,
  input: unknown,
  ctx: OperationContext<{ refused: { code: 'failed_precondition'; title: string } }>,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const context = {
      caller,
      deadlineMs: ctx.deadlineMs,
      requestId: ctx.requestId,
      trace: ctx.trace,
      criticality: ctx.criticality,
      cancellation: ctx.cancellation,
    }
    target.call(input ?? {}, context, {}, ({ error, output, json }) => {
      if (error === undefined)
        resolve(json === undefined ? output : JSON.parse(Buffer.from(json).toString('utf8')))
      else if (isFlotillaError(error))
        reject(ctx.fail('refused', `${error.code}: ${error.message}`, { data: error.toBody() }))
    })
  })
}

function statusOf(options: ControlOptions): Status {
  const { app, placement, supervisor, gateway, databases, startedAt } = options
  const hosts = Object.entries(placement.hosts).map(([name, { services }]) => {
    const slots = supervisor.slotsOf(name)
    return {
      name,
      services: [...services],
      ready: slots.filter((slot) => slot.state === 'ready').length,
      wanted: slots.length,
      isLooping: slots.some((slot) => slot.isLooping),
    }
  })
  const isReady = hosts.every(({ ready, wanted }) => wanted > 0 && ready === wanted)
  return {
    app,
    placement: placement.name,
    isReady,
    startedAt,
    gateway,
    database: databases.description,
    hosts,
  }
}

function processesOf({ supervisor, placement, version }: ControlOptions, host: string): ProcessInfo[] {
  return supervisor.slotsOf(host).map((slot) => ({
    name: slot.name,
    host,
    services: [...(placement.hosts[host]?.services ?? [])],
    state: slot.state,
    isLooping: slot.isLooping,
    instance: slot.instance,
    version,
    http: slot.http,
    starts: slot.starts,
    uptimeMs: slot.uptimeMs,
    ...(slot.pid === undefined ? {} : { pid: slot.pid }),
    ...(slot.stats ?? {}),
    ...(slot.lastEnd === undefined ? {} : { lastEnd: slot.lastEnd }),
  }))
}
