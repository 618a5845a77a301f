/**
 * The control API's server: a service whose handlers have the supervisor act.
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
import type { Fleet, ProcessState } from '../supervisor/fleet.ts'
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
  readonly fleet: Fleet
  readonly gateway: string
  readonly startedAt: string
  /** Where they are, for people; their URLs by service. */
  readonly databases: { readonly description: string; readonly urls: Readonly<Record<string, string>> }
  /** Hosts that can run once only. */
  readonly isSingle: (host: string) => boolean
  /** As whom `call` calls. */
  readonly administrator: () => Caller
  readonly audit: Audit
}

/** Declares the control service of one running system. */
export function controlService(options: ControlOptions): Service {
  const { fleet, placement } = options
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
        processes: () => ({ items: fleet.processes.map((process) => infoOf(process, options.version)) }),
        async scale({ service, instances }, ctx) {
          const host = hostOfService(placement, service)
          if (host === undefined) throw ctx.fail('no_service', `There is no service ${service}.`)
          if (instances > 1 && options.isSingle(host))
            throw ctx.fail('single', `The host ${host} can run once only.`)
          await fleet.scale(host, instances)
          return { host, instances }
        },
        async restart({ process }, ctx) {
          if (await fleet.restart(process)) return {}
          throw ctx.fail('no_process', `There is no process ${process}.`)
        },
        async kill({ process }, ctx) {
          if (await fleet.kill(process)) return {}
          throw ctx.fail('no_process', `There is no process ${process}.`)
        },
        async call({ operation, input }, ctx) {
          const target = operations.get(operation)
          if (target === undefined) throw ctx.fail('no_operation', `There is no operation ${operation}.`)
          return { output: await callAs(options.administrator(), target, input, ctx) }
        },
        async down() {
          await fleet.down()
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
  const { app, placement, fleet, gateway, databases, startedAt } = options
  const hosts = Object.entries(placement.hosts).map(([name, { services }]) => {
    const its = fleet.processes.filter(({ host }) => host === name)
    return {
      name,
      services: [...services],
      ready: its.filter(({ state }) => state === 'ready').length,
      wanted: its.length,
      isLooping: its.some(({ isLooping }) => isLooping),
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

function infoOf({ services, pid, stats, lastEnd, ...its }: ProcessState, version: string): ProcessInfo {
  return {
    ...its,
    services: [...services],
    version,
    ...(pid === undefined ? {} : { pid }),
    ...stats,
    ...(lastEnd === undefined ? {} : { lastEnd }),
  }
}
