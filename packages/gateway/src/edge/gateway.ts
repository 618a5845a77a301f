/**
 * The gateway: a service whose contract holds the aggregated answers, and which listens for the world outside.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import type { Contract } from '@flotilla/core/contract'
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
import type { EdgeSpec } from './spec.ts'

/** What an app says about its gateway. */
export interface GatewaySpec<C extends Contract> extends EdgeSpec {
  /** The gateway's own contract, named `gateway`: aggregated answers. */
  readonly contract: C
  readonly handlers: Handlers<C>
  /** Contracts whose routes it serves, its own aside. */
  readonly contracts: readonly Contract[]
  /** Where the public keys for access tokens come from. */
  readonly fetchKeys: (ctx: Context) => Promise<JSONWebKeySet>
  /** Whom an API key belongs to; undefined when it is worth nothing. */
  readonly findApiKey: (ctx: Context, key: string) => Promise<User | undefined>
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
