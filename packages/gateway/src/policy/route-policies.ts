/**
 * Route policies, ready to be asked: for each operation those that may be about it, the most particular first.
 *
 * @module
 */
import type { Operation } from '@flotilla/core/operation'
import { apiPrefix } from '@flotilla/core/router'
import type { RequestHead } from '../match/request-head.ts'
import type { GatewayPolicies, RoutePolicy } from './gateway-policies.ts'
import { RouteMatcher } from './route-match.ts'
import type { Step } from './transform.ts'

type Enrichment = Extract<Step, { enrich: unknown }>['enrich']

interface Ready<T> {
  readonly matcher: RouteMatcher
  readonly plan: T
}

/** All of them; a `T` is what is made of each. */
export class RoutePolicies<T> {
  readonly #byOperation = new Map<Operation, readonly Ready<T>[]>()
  readonly #foreign: readonly Ready<T>[]
  readonly #grpc: readonly Ready<T>[]

  constructor(
    { routes = [] }: GatewayPolicies,
    operations: readonly Operation[],
    planOf: (policy: RoutePolicy) => T,
  ) {
    const all = routes
      .map((policy) => ({
        matcher: new RouteMatcher(policy.match),
        plan: planOf(policy),
        isForeign: policy.upstream !== undefined || policy.grpc !== undefined,
        isGrpc: policy.grpc !== undefined,
      }))
      .toSorted((a, b) => compare(b.matcher.weight, a.matcher.weight))
    this.#foreign = all.filter(({ isForeign }) => isForeign)
    this.#grpc = all.filter(({ isGrpc }) => isGrpc)
    for (const operation of operations) {
      const its = all.filter(({ matcher }) => matcher.mayMatch(templateOf(operation)))
      if (its.length > 0) this.#byOperation.set(operation, its)
    }
  }

  /** What holds for this request, which means `operation`; undefined: nothing in particular. */
  find(operation: Operation, method: string, head: RequestHead): T | undefined {
    const its = this.#byOperation.get(operation)
    return its?.find(({ matcher }) => matcher.takes(method, head))?.plan
  }

  /** The methods that gRPC servers answer at the path of this request: they themselves tell no browser of them. */
  methodsOfGrpc(head: RequestHead): readonly string[] {
    return [...new Set(this.#grpc.flatMap(({ matcher }) => matcher.methodsAt(head)))]
  }

  /** The same for a request that means no operation: a foreign server may know it. */
  findForeign(method: string, head: RequestHead): T | undefined {
    return this.#foreign.find(({ matcher }) => matcher.takes(method, head))?.plan
  }
}

/** Mistakes in what the policies name, as `pointer: what is wrong`. */
export function mistakesInRoutes(
  { routes = [], upstreams = {}, grpc: servers = {} }: GatewayPolicies,
  operations: readonly Operation[],
): readonly string[] {
  const byId = new Map(operations.map((operation) => [operation.id, operation]))
  return routes.flatMap(({ match, to = [], mirror, sticky, upstream, grpc, access }, index) => {
    if (grpc !== undefined) return mistakesInGrpc(`/routes/${index}`, routes[index] as RoutePolicy, servers)
    if (upstream !== undefined)
      return mistakesInForeign(`/routes/${index}`, routes[index] as RoutePolicy, upstreams)
    const matcher = new RouteMatcher(match)
    const about = operations.filter((operation) => matcher.mayMatch(templateOf(operation)))
    const methods = match.methods?.map((method) => (method === 'HEAD' ? 'GET' : method))
    const its = about.filter(({ rest }) => methods?.some((method) => method === rest?.method) ?? true)
    const pointer = `/routes/${index}`
    const wrong = (at: string, id: string): string[] => {
      const target = byId.get(id)
      if (target === undefined) return [`${pointer}${at}: there is no such operation with a route`]
      const unlike = its.find((operation) => !isAlike(operation, target))
      return unlike === undefined ? [] : [`${pointer}${at}: does not take what ${unlike.id} takes`]
    }
    const mistakes = to.flatMap(({ operation }, at) => wrong(`/to/${at}/operation`, operation))
    if (to.length > 0 && to.every(({ weight }) => weight === 0))
      mistakes.push(`${pointer}/to: nobody has any weight`)
    if (sticky !== undefined && to.length === 0) mistakes.push(`${pointer}/sticky: there is no \`to\``)
    if (mirror !== undefined) {
      mistakes.push(...wrong('/mirror/operation', mirror.operation))
      if (byId.get(mirror.operation)?.kind !== 'query')
        mistakes.push(`${pointer}/mirror: only queries can be made twice`)
    }
    mistakes.push(...mistakesInSteps(pointer, routes[index] as RoutePolicy, byId))
    if (access !== undefined) mistakes.push(`${pointer}/access: contracts say who may call their operations`)
    if (its.length === 0) mistakes.push(`${pointer}/match: no operation has such a route`)
    return mistakes
  })
}

/** Steps of a policy that ask for more. */
export function enrichments({ response = [] }: RoutePolicy): readonly Enrichment[] {
  return response.flatMap((step) => ('enrich' in step ? [step.enrich] : []))
}

function mistakesInSteps(
  pointer: string,
  { request = [], response = [] }: RoutePolicy,
  byId: ReadonlyMap<string, Operation>,
): string[] {
  const mistakes = request.flatMap((step, at) =>
    'enrich' in step ? [`${pointer}/request/${at}/enrich: only answers are enriched`] : [],
  )
  for (const [at, step] of response.entries()) {
    if (!('enrich' in step)) continue
    const { from, input } = step.enrich
    const operation = byId.get(from)
    const here = `${pointer}/response/${at}/enrich`
    if (operation?.kind !== 'query') {
      mistakes.push(`${here}/from: there is no such query with a route`)
      continue
    }
    const fields = (operation.input as { properties?: object }).properties ?? {}
    for (const name of Object.keys(input))
      if (!Object.hasOwn(fields, name)) mistakes.push(`${here}/input/${name}: ${from} takes no such field`)
  }
  return mistakes
}

function mistakesInForeign(
  pointer: string,
  policy: RoutePolicy,
  upstreams: NonNullable<GatewayPolicies['upstreams']>,
): string[] {
  const { match, upstream, access, roles, to, mirror, request, response, timeoutMs, sticky } = policy
  const { name = '', strip = '' } = upstream ?? {}
  const mistakes: string[] = []
  if (!Object.hasOwn(upstreams, name)) mistakes.push(`${pointer}/upstream/name: there is no such upstream`)
  if (access === undefined) mistakes.push(`${pointer}/access: say who may ask it`)
  if (access === 'user' && upstream?.keepsAuthorization)
    mistakes.push(`${pointer}/access: who asks is not known where the upstream checks it`)
  if (roles !== undefined && upstream?.keepsAuthorization)
    mistakes.push(`${pointer}/roles: whose they are is not known where the upstream checks it`)
  if (timeoutMs !== undefined) mistakes.push(`${pointer}/timeoutMs: the upstream says how long it may take`)
  if (sticky !== undefined) mistakes.push(`${pointer}/sticky: there is no \`to\``)
  if (!`${match.path}/`.startsWith(`${strip}/`))
    mistakes.push(`${pointer}/upstream/strip: is not where the path begins`)
  if (request !== undefined || response !== undefined)
    mistakes.push(`${pointer}/upstream: its bodies are passed on as they come`)
  if (to !== undefined || mirror !== undefined)
    mistakes.push(`${pointer}/upstream: answers instead of any operation`)
  return mistakes
}

/** What the .proto file says of it is checked where that is read. */
function mistakesInGrpc(
  pointer: string,
  { match, grpc, upstream, access, to, mirror, sticky, request = [], response = [] }: RoutePolicy,
  servers: NonNullable<GatewayPolicies['grpc']>,
): string[] {
  const mistakes: string[] = []
  if (!Object.hasOwn(servers, grpc?.name ?? ''))
    mistakes.push(`${pointer}/grpc/name: there is no such gRPC server`)
  if (match.methods === undefined) mistakes.push(`${pointer}/match: say which methods ask it`)
  if (access === undefined) mistakes.push(`${pointer}/access: say who may ask it`)
  if (upstream !== undefined || to !== undefined || mirror !== undefined)
    mistakes.push(`${pointer}/grpc: answers instead of any upstream or operation`)
  if (sticky !== undefined) mistakes.push(`${pointer}/sticky: there is no \`to\``)
  if ([...request, ...response].some((step) => 'enrich' in step))
    mistakes.push(`${pointer}/grpc: only answers of operations are enriched`)
  return mistakes
}

/** True when requests to one can be answered by the other. */
function isAlike(one: Operation, other: Operation): boolean {
  const of = ({ kind, rest }: Operation): string =>
    JSON.stringify([kind, rest?.method, rest?.hasBody, [...(rest?.path.match(/\{[^}]+\}/g) ?? [])].sort()])
  return of(one) === of(other)
}

function templateOf(operation: Operation): string {
  return apiPrefix(operation) + (operation.rest?.path ?? '')
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index])
  return at < 0 ? 0 : (a[at] as number) - (b[at] as number)
}
