/**
 * The gateway: a service whose contract holds the aggregated answers, and which listens for the world outside.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import type { Contract } from '@flotilla/core/contract'
import type { Operation } from '@flotilla/core/operation'
import {
  type Context,
  defineService,
  type Handlers,
  type Service,
  type ServiceRuntime,
} from '@flotilla/core/service'
import type { JSONWebKeySet } from 'jose'
import { openEdge } from './edge.ts'
import { GatewaySettings } from './settings.ts'

/** A route with a strict limit: it could be used to guess something. */
export interface StrictRoute {
  readonly operation: Operation
  /** What is guessed at, such as the account; counted beside the client's address. */
  readonly keyOf: (input: unknown) => string
}

/** What an app says about its gateway. */
export interface GatewaySpec<C extends Contract> {
  /** The gateway's own contract, named `gateway`: aggregated answers. */
  readonly contract: C
  readonly handlers: Handlers<C>
  /** Contracts whose routes it serves, its own aside. */
  readonly contracts: readonly Contract[]
  readonly title: string
  readonly description: string
  /** Issuer and audience of access tokens. */
  readonly issuer: string
  readonly audience: string
  /** Where the public keys for access tokens come from. */
  readonly fetchKeys: (ctx: Context) => Promise<JSONWebKeySet>
  /** Whom an API key belongs to; undefined when it is worth nothing. */
  readonly findApiKey: (ctx: Context, key: string) => Promise<User | undefined>
  readonly strictRoutes: readonly StrictRoute[]
}

/** What the gateway's look-ups at other services may take. */
const LOOK_UP_MS = 3_000

/** Declares the gateway of an app. */
export function defineGateway<C extends Contract>(spec: GatewaySpec<C>): Service {
  return defineService<C, typeof GatewaySettings>({
    contract: spec.contract,
    config: GatewaySettings,
    calls: spec.contracts,
    async open(runtime: ServiceRuntime<GatewaySettings>) {
      await openEdge({
        runtime,
        spec,
        contracts: [...spec.contracts, spec.contract],
        fetchKeys: () => runtime.run('fetch keys', LOOK_UP_MS, spec.fetchKeys),
        findApiKey: (key) => runtime.run('check API key', LOOK_UP_MS, (ctx) => spec.findApiKey(ctx, key)),
      })
      return spec.handlers
    },
  })
}
