/**
 * What the operator says about gRPC servers behind the gateway, in the section `gateway` of the policy file.
 *
 * @module
 */
import { type Static, Type } from '@flotilla/core/schema'

const FIELD = '^[A-Za-z_][A-Za-z0-9_]*$'

/** Who may ask a foreign server. */
const Access = Type.Enum(['anyone', 'user'])
const Roles = Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })

/** A gRPC server, or several that are alike. */
export const GrpcPolicy = Type.Object({
  proto: Type.String({
    minLength: 1,
    maxLength: 1_000,
    description: 'the .proto file that describes it; the folder of the policy file is where its path begins',
  }),
  targets: Type.Array(Type.String({ pattern: '^https?://[A-Za-z0-9.\\[\\]:-]+$' }), {
    minItems: 1,
    maxItems: 100,
    uniqueItems: true,
    description: 'their origins; https for TLS',
  }),
  timeoutMs: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 3_600_000,
      description: 'for an answer of one message; default 30,000',
    }),
  ),
  retries: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 5, description: 'of GET, when it is not available; default 1' }),
  ),
  annotated: Type.Optional(
    Type.Object(
      { access: Access, roles: Type.Optional(Roles) },
      { description: 'the routes that google.api.http names are routes here; who may ask them' },
    ),
  ),
})

/** A method of a gRPC server that answers. */
export const ToGrpc = Type.Object({
  name: Type.String({ minLength: 1, description: 'of one of the gRPC servers' }),
  method: Type.String({
    pattern: '^[A-Za-z_][A-Za-z0-9_.]*/[A-Za-z_][A-Za-z0-9_]*$',
    description: 'package.Service/Method',
  }),
  body: Type.Optional(
    Type.String({
      pattern: `^\\*$|${FIELD}`,
      description:
        'the field that the body is, or * for all that the path does not say; absent: there is no body',
    }),
  ),
  response: Type.Optional(
    Type.String({
      pattern: FIELD,
      description: 'the field of the answer that is its body; default the whole',
    }),
  ),
})

/** A gRPC server, or several that are alike. */
export type GrpcPolicy = Static<typeof GrpcPolicy>

/** How a route goes to a gRPC server. */
export type ToGrpc = Static<typeof ToGrpc>
