/**
 * What the operator says about the edge, in the section `gateway` of the policy file. Every part has a default: what the contracts say,
 * and the settings of the gateway.
 *
 * @module
 */
import { criticalities } from '@flotilla/core/context'
import { closed, lazyCheck, type Static, Type } from '@flotilla/core/schema'
import { GrpcPolicy, ToGrpc } from './grpc-policies.ts'
import { Step } from './transform.ts'

const HEADER_NAME = "^[!#$%&'*+\\-.^_`|~0-9A-Za-z]{1,100}$"
const HEADER_VALUE = '^[\\t\\x20-\\x7e\\x80-\\xff]*$'
/** Fields that make an answer what it is, or tell of its connection. */
const RESERVED =
  /^(?:content-length|transfer-encoding|connection|date|x-request-id|traceparent|strict-transport-security)$/i
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
const REFUSALS = [403, 404, 410, 503] as const
const ROUTES_MAX = 500

const perMinute = Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: 'requests a minute' })
const Headers = Type.Record(
  Type.String({ pattern: HEADER_NAME }),
  Type.String({ pattern: HEADER_VALUE, maxLength: 4_096 }),
)
const Wanted = Type.Record(Type.String({ pattern: HEADER_NAME }), Type.String({ maxLength: 4_096 }), {
  description: 'values by name; * stands for any value',
})
const OperationId = Type.String({
  pattern: '^[a-z][A-Za-z0-9-]*\\.[A-Za-z][A-Za-z0-9]*$',
  description: 'service.operation',
})

const Match = Type.Object({
  path: Type.String({
    pattern: '^(?:/(?:[^*{}/]+|\\{[A-Za-z][A-Za-z0-9_.]*\\}))*(?:/|/\\*\\*)?$',
    minLength: 1,
    maxLength: 500,
    description: 'a path; {name} stands for one part of it, ** at the end for any rest',
  }),
  methods: Type.Optional(Type.Array(Type.Enum(METHODS), { minItems: 1 })),
  hosts: Type.Optional(
    Type.Array(Type.String({ pattern: '^(?:\\*\\.)?[A-Za-z0-9.-]+$' }), { minItems: 1, maxItems: 50 }),
  ),
  headers: Type.Optional(Wanted),
  query: Type.Optional(Wanted),
})

const Limit = Type.Object({
  perMinute,
  burst: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: 'at once; default as many as a minute' }),
  ),
  by: Type.Optional(
    Type.Enum(['address', 'user', 'everybody'], {
      description: 'who is counted; default the user, or the address of who is none',
    }),
  ),
})

const PREFIX = "^(?:/[A-Za-z0-9._~!$&'()+,;=:@-]+)+$"

/** A foreign server that answers. */
const ToUpstream = Type.Object({
  name: Type.String({ minLength: 1, description: 'of one of the upstreams' }),
  strip: Type.Optional(
    Type.String({ pattern: PREFIX, description: 'taken away from the beginning of the path' }),
  ),
  prepend: Type.Optional(Type.String({ pattern: PREFIX, description: 'put before the path' })),
  keepsHost: Type.Optional(Type.Boolean({ description: 'it is told the host that the client asked for' })),
  keepsAuthorization: Type.Optional(
    Type.Boolean({ description: 'it checks Authorization by itself; the gateway does not look at it' }),
  ),
  webSocketOrigins: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      description: 'whose pages may open WebSockets; * for all; absent: nobody',
    }),
  ),
  bodyBytesMax: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 10_737_418_240, description: 'default 10 MiB' }),
  ),
})

/** A foreign server, or several that are alike. */
const UpstreamPolicy = Type.Object({
  targets: Type.Array(Type.String({ pattern: '^https?://[A-Za-z0-9.\\[\\]:-]+$' }), {
    minItems: 1,
    maxItems: 100,
    uniqueItems: true,
    description: 'their origins',
  }),
  timeoutMs: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 3_600_000,
      description: 'until the head of an answer, and between its parts; default 30,000',
    }),
  ),
  retries: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 5, description: 'where it is safe; default 1' }),
  ),
  connections: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 10_000, description: 'to each target; default 128' }),
  ),
})

/** Lets in so many visitors a minute, one after the other. */
const WaitingRoom = Type.Object({
  perMinute: Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'visitors that are let in' }),
  stayS: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 86_400, description: 'how long they may go on; default 600' }),
  ),
  waitMaxS: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 86_400,
      description: 'who would wait longer gets no place; default 1,800',
    }),
  ),
})

/** What holds for requests that match. */
const RoutePolicy = Type.Object({
  match: Match,
  upstream: Type.Optional(ToUpstream),
  grpc: Type.Optional(ToGrpc),
  access: Type.Optional(Type.Enum(['anyone', 'user'], { description: 'who may ask a foreign server' })),
  refuse: Type.Optional(
    Type.Object({
      status: Type.Enum(REFUSALS),
      detail: Type.Optional(Type.String({ maxLength: 500 })),
      retryAfterS: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
    }),
  ),
  to: Type.Optional(
    Type.Array(
      Type.Object({
        operation: OperationId,
        weight: Type.Optional(Type.Number({ minimum: 0, maximum: 1_000_000 })),
      }),
      {
        minItems: 1,
        maxItems: 20,
        description: 'who answers instead, by weight (default 1)',
      },
    ),
  ),
  sticky: Type.Optional(Type.Enum(['user', 'address'], { description: 'the same of `to` for the same one' })),
  mirror: Type.Optional(
    Type.Object({
      operation: OperationId,
      share: Type.Optional(
        Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'of the requests; default all' }),
      ),
    }),
  ),
  limit: Type.Optional(Limit),
  waitingRoom: Type.Optional(WaitingRoom),
  roles: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description: 'one of them is needed beside what the contract asks',
    }),
  ),
  request: Type.Optional(
    Type.Array(Step, { maxItems: 50, description: 'what becomes of the JSON body of a request' }),
  ),
  response: Type.Optional(
    Type.Array(Step, { maxItems: 50, description: 'what becomes of the JSON body of an answer' }),
  ),
  timeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 600_000 })),
  compress: Type.Optional(
    Type.Boolean({
      description: 'make answers smaller for who takes them so; default: those that are for everybody',
    }),
  ),
  criticality: Type.Optional(Type.Enum(criticalities)),
  headers: Type.Optional(
    Type.Object({
      set: Type.Optional(Headers),
      remove: Type.Optional(Type.Array(Type.String({ pattern: HEADER_NAME }))),
    }),
  ),
})

/** The whole section. */
const GatewayPolicies = Type.Object({
  headers: Type.Optional(Headers),
  cors: Type.Optional(
    Type.Object({
      origins: Type.Array(Type.String({ pattern: '^https?://[A-Za-z0-9.:\\[\\]-]+$' }), { maxItems: 100 }),
      maxAgeS: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400 })),
    }),
  ),
  limits: Type.Optional(
    Type.Partial(
      Type.Object({
        address: perMinute,
        anonymous: perMinute,
        strict: perMinute,
        tiers: Type.Record(Type.String({ minLength: 1, maxLength: 50 }), perMinute),
      }),
    ),
  ),
  upstreams: Type.Optional(Type.Record(Type.String({ pattern: '^[a-z][A-Za-z0-9-]*$' }), UpstreamPolicy)),
  grpc: Type.Optional(Type.Record(Type.String({ pattern: '^[a-z][A-Za-z0-9-]*$' }), GrpcPolicy)),
  routes: Type.Optional(Type.Array(RoutePolicy, { maxItems: ROUTES_MAX })),
})

/** What holds for requests that match. */
export type RoutePolicy = Static<typeof RoutePolicy>

/** How a route goes to a foreign server. */
export type ToUpstream = Static<typeof ToUpstream>

/** What a request has to be. */
export type Match = Static<typeof Match>

/** The whole section. */
export type GatewayPolicies = Static<typeof GatewayPolicies>

/** Says what is wrong with the section. */
export const gatewayPoliciesCheck = lazyCheck(closed(GatewayPolicies))

/** Mistakes that the schema cannot see, as `pointer: what is wrong`. */
export function reservedHeaders({ headers = {}, routes = [] }: GatewayPolicies): readonly string[] {
  const named = [
    ...Object.keys(headers).map((name) => [`/headers/${name}`, name] as const),
    ...routes.flatMap(({ headers: its = {} }, index) => [
      ...Object.keys(its.set ?? {}).map((name) => [`/routes/${index}/headers/set/${name}`, name] as const),
      ...(its.remove ?? []).map((name, at) => [`/routes/${index}/headers/remove/${at}`, name] as const),
    ]),
  ]
  return named
    .filter(([, name]) => RESERVED.test(name))
    .map(([pointer]) => `${pointer}: the gateway itself says this`)
}
