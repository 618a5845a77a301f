/**
 * The service behind the gateway in its tests.
 *
 * @module
 */
import { anyone, role, user } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { FlotillaError } from '@flotilla/core/error'
import { command, query, stream } from '@flotilla/core/operation'
import { Type } from '@flotilla/core/schema'
import { defineService, type OperationContext, type Service } from '@flotilla/core/service'

const Thing = Type.Object({ id: Type.String(), version: Type.Integer() }, { title: 'Thing' })
const Id = Type.Object({ id: Type.String({ maxLength: 50 }) })

/** What the service behind the gateway promises: one operation for everything a gateway treats differently. */
export const things = defineContract({
  name: 'things',
  version: 1,
  summary: 'Things to test with.',
  operations: {
    list: query({
      summary: 'Lists.',
      access: anyone,
      http: 'GET /things',
      cache: { maxAgeS: 60, scope: 'public' },
      input: Type.Object({
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
        isNew: Type.Optional(Type.Boolean()),
        tag: Type.Optional(Type.Array(Type.String())),
      }),
      output: Type.Object({ asked: Type.Unknown() }),
    }),
    get: query({
      summary: 'Gives one.',
      access: anyone,
      http: { route: 'GET /things/{id}', etag: 'version' },
      input: Id,
      output: Thing,
    }),
    getAnew: query({
      summary: 'Gives one, otherwise.',
      access: anyone,
      http: 'GET /anew/{id}',
      input: Id,
      output: Thing,
    }),
    put: command({
      summary: 'Changes one.',
      access: user,
      idempotency: 'natural',
      http: { route: 'PUT /things/{id}', etag: 'version', ifMatch: 'version' },
      input: Type.Object({ id: Type.String(), version: Type.Integer() }),
      output: Thing,
    }),
    remove: command({
      summary: 'Removes one.',
      access: role('admin'),
      idempotency: 'natural',
      http: { route: 'DELETE /things/{id}', status: 204 },
      input: Id,
      output: Type.Object({}),
    }),
    create: command({
      summary: 'Makes one.',
      access: user,
      idempotency: 'key_required',
      http: { route: 'POST /things', status: 201 },
      input: Type.Object({ id: Type.String({ minLength: 1, maxLength: 20 }) }),
      output: Thing,
    }),
    echo: command({
      summary: 'Says it again.',
      access: anyone,
      idempotency: 'none',
      http: 'POST /echo',
      input: Type.Object({ text: Type.Optional(Type.String()) }),
      output: Type.Object({ text: Type.String() }),
    }),
    wait: command({
      summary: 'May take a while.',
      access: anyone,
      idempotency: 'none',
      http: {
        route: 'POST /wait',
        status: 201,
        prefer: 'waitS',
        acceptedWhile: { field: 'status', value: 'pending' },
      },
      input: Type.Object({
        text: Type.Optional(Type.String()),
        waitS: Type.Optional(Type.Integer({ minimum: 0, maximum: 30 })),
      }),
      output: Type.Object({ status: Type.Enum(['pending', 'done']), waitS: Type.Integer() }),
      reasons: { lost: { code: 'failed_precondition', status: 402, title: 'It is lost' } },
    }),
    login: command({
      summary: 'Could be used to guess.',
      access: anyone,
      idempotency: 'none',
      http: 'POST /login',
      input: Type.Object({ email: Type.String() }),
      output: Type.Object({}),
    }),
    bind: command({
      summary: 'Tells which key the client has proven to hold.',
      access: anyone,
      idempotency: 'none',
      http: { route: 'POST /bind', provenKey: 'key' },
      input: Type.Object({ key: Type.Optional(Type.String()) }),
      output: Type.Object({ key: Type.String(), user: Type.String() }),
    }),
    shelf: query({
      summary: 'Is kept by the gateway.',
      access: anyone,
      http: 'GET /shelves/{id}',
      input: Type.Object({ id: Type.String({ maxLength: 50 }), page: Type.Optional(Type.Integer()) }),
      output: Type.Object({
        id: Type.String(),
        call: Type.Integer(),
        user: Type.String(),
        books: Type.Optional(Type.String()),
      }),
      cache: { maxAgeS: 60, scope: 'everyone', exceptRoles: ['admin'], tags: ['shelf:{id}'] },
    }),
    restock: command({
      summary: 'Changes what is kept.',
      access: user,
      idempotency: 'natural',
      http: { route: 'PUT /shelves/{id}', status: 204 },
      input: Type.Object({ id: Type.String() }),
      output: Type.Object({}),
      changes: ['shelf:{id}'],
    }),
    whoAmI: query({
      summary: 'Tells who asks.',
      access: user,
      http: 'GET /me',
      output: Type.Object({ user: Type.Unknown(), service: Type.String(), requestId: Type.String() }),
    }),
    hold: query({
      summary: 'Answers when it is let go.',
      access: anyone,
      http: 'GET /hold',
      // So long that no test takes the deadline for what it waits for.
      timeoutMs: 60_000,
      output: Type.Object({}),
    }),
    fail: query({
      summary: 'Fails.',
      access: anyone,
      http: 'GET /fail',
      input: Type.Object({ isAway: Type.Optional(Type.Boolean()) }),
      output: Type.Object({}),
    }),
    guess: query({
      summary: 'Nobody needs it.',
      access: user,
      criticality: 'sheddable',
      http: 'GET /guess',
      output: Type.Object({}),
    }),
    size: query({
      summary: 'Is going to go.',
      access: anyone,
      http: 'GET /sizes/{id}',
      input: Id,
      output: Thing,
      deprecated: { since: '2026-11-01', sunset: '2027-05-01', successor: 'sizeV2' },
      cache: { maxAgeS: 60, scope: 'everyone', tags: [] },
    }),
    sizeV2: query({
      summary: 'Comes after it.',
      access: anyone,
      http: { route: 'GET /sizes/{id}', version: 2 },
      input: Id,
      output: Type.Object({ id: Type.String(), size: Type.Integer() }),
    }),
    sizes: query({
      summary: 'Is going to go some day.',
      access: anyone,
      http: 'GET /sizes',
      output: Type.Object({}),
      deprecated: { since: '2027-11-01', successor: 'sizesV2' },
    }),
    sizesV2: query({
      summary: 'Comes after it.',
      access: anyone,
      http: { route: 'GET /sizes', version: 2 },
      output: Type.Object({}),
    }),
    resize: command({
      summary: 'Is going to go, and what comes after it takes something else.',
      access: user,
      idempotency: 'natural',
      http: { route: 'PUT /sizes/{id}', etag: 'version', ifMatch: 'version' },
      input: Type.Object({ id: Type.String(), version: Type.Integer() }),
      output: Thing,
      deprecated: { since: '2026-11-01', successor: 'moveV2' },
    }),
    moveV2: command({
      summary: 'Takes something else.',
      access: user,
      idempotency: 'natural',
      http: { route: 'DELETE /places/{place}', version: 2, status: 204 },
      input: Type.Object({ place: Type.String() }),
      output: Type.Object({}),
    }),
    watch: stream({
      summary: 'Counts to two.',
      access: anyone,
      http: 'GET /watch',
      output: Type.Object({ count: Type.Integer() }),
    }),
  },
})

/** A call that waits in the service. */
export interface Held {
  readonly ctx: OperationContext
  readonly letGo: () => void
}

/** The service, which tells of its calls. */
export function openThings(
  calls: string[],
  held: Held[],
  onOpen: (isDraining: () => boolean) => void,
): Service {
  return defineService({
    contract: things,
    database: { migrations: 'migrations' },
    open({ isDraining }) {
      onOpen(isDraining)
      const tell = (name: string): void => void calls.push(name)
      return {
        list(input) {
          tell('list')
          return { asked: input }
        },
        get({ id }) {
          tell('get')
          return { id, version: 3 }
        },
        getAnew({ id }) {
          tell('getAnew')
          return { id, version: id === 'same' ? 3 : 4 }
        },
        put({ id, version }) {
          tell('put')
          return { id, version: version + 1 }
        },
        remove() {
          tell('remove')
          return {}
        },
        create({ id }, ctx) {
          tell('create')
          return ctx.commit(async () => ({ id, version: calls.length }))
        },
        echo({ text = '' }) {
          tell('echo')
          return { text }
        },
        wait({ text, waitS = 0 }, ctx) {
          tell('wait')
          if (text === 'lose') throw ctx.fail('lost')
          return { status: waitS > 0 ? ('done' as const) : ('pending' as const), waitS }
        },
        login() {
          tell('login')
          return {}
        },
        bind({ key = 'none' }, ctx) {
          tell('bind')
          return { key, user: ctx.caller.user?.id ?? 'nobody' }
        },
        async shelf({ id }, ctx) {
          tell('shelf')
          const books = id === 'full' ? { books: 'book '.repeat(1_000) } : {}
          const answer = { id, call: calls.length, user: ctx.caller.user?.id ?? '', ...books }
          if (id === 'held') await new Promise<void>((resolve) => held.push({ ctx, letGo: resolve }))
          return answer
        },
        restock() {
          tell('restock')
          return {}
        },
        whoAmI(_, { user: its, caller, requestId }) {
          tell('whoAmI')
          return { user: its, service: caller.service ?? '', requestId: requestId ?? '' }
        },
        async hold(_, ctx) {
          tell('hold')
          await new Promise<void>((resolve) => held.push({ ctx, letGo: resolve }))
          return {}
        },
        fail({ isAway }) {
          tell('fail')
          if (isAway) throw new FlotillaError('unavailable', 'The secret store is away.')
          throw new TypeError('the secret is 42')
        },
        size({ id }) {
          tell('size')
          if (id === 'gone') throw new FlotillaError('not_found', 'It is gone.')
          return { id, version: 1 }
        },
        sizeV2({ id }) {
          tell('sizeV2')
          return { id, size: 2 }
        },
        sizes: () => ({}),
        sizesV2: () => ({}),
        resize: ({ id, version }) => ({ id, version: version + 1 }),
        moveV2: () => ({}),
        guess() {
          tell('guess')
          return {}
        },
        async *watch(_, ctx) {
          tell('watch')
          yield { count: 1 }
          await new Promise<void>((resolve) => {
            held.push({ ctx, letGo: resolve })
            ctx.signal.addEventListener('abort', () => resolve())
          })
          yield { count: 2 }
        },
      }
    },
  })
}
