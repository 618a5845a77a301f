/**
 * The gateway: a service whose contract holds the aggregated answers, and which listens for the world outside.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import { type Contract, operationsOf } from '@flotilla/core/contract'
import type { HttpClient } from '@flotilla/core/http-client'
import {
  type Context,
  defineService,
  type Handlers,
  type Service,
  type ServiceRuntime,
} from '@flotilla/core/service'
import type { JSONWebKeySet } from 'jose'
import type { ForeignUsers, Issuer } from '../auth/issuer.ts'
import { purgeHandler } from '../cache/purge.ts'
import { GrpcFiles } from '../grpc/grpc-files.ts'
import { type GatewayPolicies, gatewayPoliciesCheck, reservedHeaders } from '../policy/gateway-policies.ts'
import { mistakesInRoutes } from '../policy/route-policies.ts'
import { openEdge } from './edge.ts'
import { GatewaySettings } from './settings.ts'
import type { EdgeSpec } from './spec.ts'

/** Somebody else's issuer whose access tokens are taken too. */
export interface ForeignIssuer extends Omit<Issuer, 'keys' | 'claims'> {
  readonly claims: ForeignUsers
  /** Its public keys, or what fetches them: from an address that the app knows, never from one that a token names. */
  readonly keys: JSONWebKeySet | ((http: HttpClient) => Promise<JSONWebKeySet>)
}

/** What an app says about its gateway. */
export interface GatewaySpec<C extends Contract> extends EdgeSpec {
  /** The gateway's own contract, named `gateway`: aggregated answers. */
  readonly contract: C
  /** But for `purgeCache`, which the gateway brings along. */
  readonly handlers: Omit<Handlers<C>, 'purgeCache'>
  /** Contracts whose routes it serves, its own aside. */
  readonly contracts: readonly Contract[]
  /** Where the public keys for the app's own access tokens come from; they are ES256. */
  readonly fetchKeys: (ctx: Context) => Promise<JSONWebKeySet>
  /** Default: none. */
  readonly foreignIssuers?: readonly ForeignIssuer[]
  /** Whom an API key belongs to; undefined when it is worth nothing. */
  readonly findApiKey: (ctx: Context, key: string) => Promise<User | undefined>
}

/** What the gateway's look-ups at other services may take. */
const LOOK_UP_MS = 3_000

/** Declares the gateway of an app. */
export function defineGateway<C extends Contract>(spec: GatewaySpec<C>): Service {
  const grpcFiles = new GrpcFiles()
  return defineService<C, typeof GatewaySettings>({
    contract: spec.contract,
    config: GatewaySettings,
    calls: spec.contracts,
    policies: {
      check: gatewayPoliciesCheck,
      async mistakesIn(value, folder) {
        const policies = value as GatewayPolicies
        const mistakes = mistakesIn(policies, [...spec.contracts, spec.contract])
        return [...mistakes, ...(await grpcFiles.mistakesIn(policies, folder))]
      },
    },
    async open(runtime: ServiceRuntime<GatewaySettings>) {
      const cache = await openEdge({
        runtime,
        spec,
        grpcFiles,
        contracts: [...spec.contracts, spec.contract],
        issuers: [ownIssuer(spec, runtime), ...foreignIssuers(spec, runtime)],
        findApiKey: (key) => runtime.run('check API key', LOOK_UP_MS, (ctx) => spec.findApiKey(ctx, key)),
      })
      const purge = { purgeCache: purgeHandler(spec.contract, cache, runtime) }
      // Who has no such operation has no use for it.
      return { ...spec.handlers, ...purge } as unknown as Handlers<C>
    },
  })
}

function mistakesIn(policies: GatewayPolicies, contracts: readonly Contract[]): readonly string[] {
  const operations = contracts.flatMap(operationsOf).filter(({ rest }) => rest !== undefined)
  return [...reservedHeaders(policies), ...mistakesInRoutes(policies, operations)]
}

function ownIssuer<C extends Contract>(
  { issuer, audience, fetchKeys }: GatewaySpec<C>,
  runtime: ServiceRuntime<GatewaySettings>,
): Issuer {
  const keys = () => runtime.run('fetch keys', LOOK_UP_MS, fetchKeys)
  return { issuer, audience, algorithms: ['ES256'], keys }
}

function foreignIssuers<C extends Contract>(
  { foreignIssuers: issuers = [] }: GatewaySpec<C>,
  runtime: ServiceRuntime<GatewaySettings>,
): Issuer[] {
  return issuers.map(({ keys, ...issuer }) => ({
    ...issuer,
    keys:
      typeof keys === 'function'
        ? () => runtime.run('fetch keys', LOOK_UP_MS, () => keys(runtime.http))
        : keys,
  }))
}
