/**
 * A contract whose service answers what it was asked, for campaigns against a gateway.
 *
 * @module
 */
import { anyone } from '@flotilla/core/access'
import { command, query } from '@flotilla/core/operation'
import { Type } from '@flotilla/core/schema'

const Id = Type.Object({ id: Type.String() })
const Text = Type.Object({ text: Type.Optional(Type.String()) })
const Seen = Type.Object({ operation: Type.String(), input: Type.Unknown() })

/** Of each kind one. */
export const mirrorOperations = {
  list: query({
    summary: 'Of all.',
    access: anyone,
    http: 'GET /seen',
    input: Type.Object({
      tag: Type.Optional(Type.String()),
      tags: Type.Optional(Type.Array(Type.String())),
    }),
    output: Seen,
  }),
  get: query({ summary: 'Of one.', access: anyone, http: 'GET /seen/{id}', input: Id, output: Seen }),
  put: command({
    summary: 'With a body.',
    access: anyone,
    idempotency: 'natural',
    http: 'PUT /seen/{id}',
    input: Type.Object({ id: Type.String(), text: Type.Optional(Type.String()) }),
    output: Seen,
  }),
  remove: command({
    summary: 'Without one.',
    access: anyone,
    idempotency: 'natural',
    http: 'DELETE /seen/{id}',
    input: Id,
    output: Seen,
  }),
  echo: command({
    summary: 'With nothing but a body.',
    access: anyone,
    idempotency: 'none',
    http: 'POST /echo',
    input: Text,
    output: Seen,
  }),
}
