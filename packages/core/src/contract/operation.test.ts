import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { anyone, user } from './access.ts'
import { defineContract } from './contract.ts'
import { type EventData, event } from './event.ts'
import { command, type InputOf, type OutputOf, query, type ReasonOf, stream } from './operation.ts'
import { Id, Type } from './schema.ts'

/** True only when the two are the same type: not merely assignable, and `any` equals nothing but itself. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** Fails to compile when `_T` is not true. */
const proves = <_T extends true>(): void => {}

const Line = Type.Object({ sku: Id, quantity: Type.Integer(), note: Type.Optional(Type.String()) })

const orders = defineContract({
  name: 'orders',
  version: 1,
  summary: 'Orders.',
  operations: {
    place: command({
      summary: 'Places an order.',
      access: user,
      idempotency: 'key_required',
      input: Type.Object({ lines: Type.Array(Line), coupon: Type.Union([Type.String(), Type.Null()]) }),
      output: Type.Object({
        id: Id,
        status: Type.Union([Type.Literal('pending'), Type.Literal('rejected')]),
      }),
      reasons: {
        out_of_stock: { code: 'failed_precondition', status: 409, title: 'Not enough in stock' },
        price_changed: { code: 'aborted', title: 'The price has changed' },
      },
    }),
    list: query({ summary: 'Lists orders.', access: user, output: Type.Array(Id) }),
    watch: stream({
      summary: 'Follows an order.',
      access: user,
      input: Type.Object({ id: Id }),
      output: Type.Object({ status: Type.String() }),
    }),
  },
  events: {
    orderPlaced: event({
      version: 1,
      key: 'id',
      summary: 'An order was placed.',
      data: Type.Object({ id: Id, total: Type.Integer() }),
    }),
  },
})

type Operations = typeof orders.operations

describe('InputOf, OutputOf, ReasonOf, EventData', () => {
  it('InputOf is what a handler gets and a caller gives', () => {
    interface Placed {
      lines: { sku: string; quantity: number; note?: string }[]
      coupon: string | null
    }
    proves<Equal<InputOf<Operations['place']>['coupon'], string | null>>()
    proves<Equal<InputOf<Operations['place']>['lines'][number]['note'], string | undefined>>()
    proves<Equal<keyof InputOf<Operations['place']>, 'lines' | 'coupon'>>()
    proves<Equal<InputOf<Operations['watch']>, { id: string }>>()
    const input: InputOf<Operations['place']> = { lines: [{ sku: 's', quantity: 1 }], coupon: null }
    const placed: Placed = input
    assert.equal(placed.lines.length, 1)
    // @ts-expect-error a quantity is a number
    const wrong: InputOf<Operations['place']> = { lines: [{ sku: 's', quantity: '1' }], coupon: null }
    assert.ok(orders.operations.place.checkInput(wrong))
  })

  it('InputOf of an operation that takes nothing has no fields', () => {
    proves<Equal<InputOf<Operations['list']>, object>>()
    assert.equal(orders.operations.list.checkInput({}), undefined)
  })

  it('OutputOf is what comes back, of a stream one item', () => {
    proves<Equal<OutputOf<Operations['place']>, { id: string; status: 'pending' | 'rejected' }>>()
    proves<Equal<OutputOf<Operations['list']>, string[]>>()
    proves<Equal<OutputOf<Operations['watch']>, { status: string }>>()
  })

  it('ReasonOf is the names of the declared reasons, and never without any', () => {
    proves<Equal<ReasonOf<Operations['place']>, 'out_of_stock' | 'price_changed'>>()
    proves<Equal<ReasonOf<Operations['list']>, never>>()
  })

  it('InputOf and its like of no operation are never', () => {
    proves<Equal<InputOf<string>, never>>()
    proves<Equal<OutputOf<string>, never>>()
    proves<Equal<ReasonOf<string>, never>>()
  })

  it('defineContract keeps kind and names of operations in the types', () => {
    proves<Equal<keyof Operations, 'place' | 'list' | 'watch'>>()
    proves<Equal<Operations['place']['kind'], 'command'>>()
    proves<Equal<Operations['watch']['kind'], 'stream'>>()
  })

  it('EventData is the data of an event', () => {
    proves<Equal<EventData<(typeof orders.events)['orderPlaced']>, { id: string; total: number }>>()
    proves<Equal<keyof typeof orders.events, 'orderPlaced'>>()
  })
})

const output = Type.Object({})

describe('query, command, stream', () => {
  it('query, command and stream fill in what is not said', () => {
    const plain = { summary: 'x', access: anyone, output }
    const { kind, timeoutMs, idempotency, criticality, reasons, cache, http } = query(plain)
    assert.deepEqual(
      { kind, timeoutMs, idempotency, criticality, reasons, cache, http },
      {
        kind: 'query',
        timeoutMs: 3_000,
        idempotency: 'natural',
        criticality: 'critical',
        reasons: {},
        cache: undefined,
        http: undefined,
      },
    )
    assert.equal(command({ ...plain, idempotency: 'none' }).timeoutMs, 10_000)
    assert.equal(stream(plain).timeoutMs, 3_600_000)
  })

  it('query, command and stream keep what is said', () => {
    const said = {
      summary: 'x',
      access: user,
      output,
      http: 'GET /x',
      criticality: 'sheddable',
      timeoutMs: 50,
    } as const
    assert.deepEqual(query({ ...said, cache: { maxAgeS: 5, scope: 'private' } }).cache, {
      maxAgeS: 5,
      scope: 'private',
    })
    for (const operation of [query(said), stream(said), command({ ...said, idempotency: 'key' })]) {
      const { summary, access, http, criticality, timeoutMs } = operation
      assert.deepEqual({ summary, access, output, http, criticality, timeoutMs }, said)
    }
    assert.equal(command({ ...said, idempotency: 'key' }).idempotency, 'key')
  })

  it('command cannot be declared without saying what a repeat does, nor anything without an access rule', () => {
    // @ts-expect-error no idempotency
    command({ summary: 'x', access: anyone, output })
    // @ts-expect-error no access rule
    query({ summary: 'x', output })
  })
})
