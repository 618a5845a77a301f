import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Caller } from '../kernel/caller.ts'
import { type Access, anyone, anyService, refusal, role, service, user } from './access.ts'
import { type Change, compareContracts } from './compare.ts'
import { defineContract } from './contract.ts'
import { type ContractDescription, describeContract } from './describe.ts'
import { type EventSpec, event } from './event.ts'
import { command, type Idempotency, type OperationSpec, query } from './operation.ts'
import { type TSchema, Type } from './schema.ts'

const input = {
  id: Type.String({ minLength: 1, maxLength: 20, pattern: '^[a-z]+$' }),
  version: Type.Integer(),
  quantity: Type.Integer({ minimum: 1, maximum: 10 }),
  ratio: Type.Optional(Type.Number()),
  color: Type.Union([Type.Literal('red'), Type.Literal('blue')]),
  note: Type.Union([Type.String(), Type.Null()]),
  tags: Type.Optional(Type.Array(Type.String({ maxLength: 5 }), { minItems: 1, maxItems: 5 })),
  address: Type.Object({ city: Type.String(), zip: Type.Optional(Type.String()) }),
  labels: Type.Optional(Type.Record(Type.String(), Type.Integer())),
  size: Type.Optional(Type.Tuple([Type.Integer(), Type.Integer()])),
  waitS: Type.Optional(Type.Integer({ minimum: 0, maximum: 30 })),
}
const output = {
  id: Type.String({ maxLength: 20 }),
  version: Type.Integer(),
  status: Type.Enum(['pending', 'done']),
  total: Type.Integer({ minimum: 0 }),
  due: Type.Optional(Type.String({ format: 'date' })),
  lines: Type.Array(Type.Object({ sku: Type.String(), gift: Type.Optional(Type.Boolean()) })),
}
const change = command({
  summary: 'Changes one.',
  access: role('admin', 'buyer'),
  http: { route: 'PUT /things/{id}', ifMatch: 'version', etag: 'version' },
  idempotency: 'key',
  input: Type.Object(input),
  output: Type.Object(output),
  reasons: { too_late: { code: 'failed_precondition', status: 409, title: 'Too late' } },
})
const list = query({
  summary: 'Lists them.',
  access: user,
  http: 'GET /things',
  output: Type.Array(Type.String()),
  cache: { maxAgeS: 10, scope: 'private' },
})
const data = { id: Type.String(), total: Type.Integer() }
const changed = event({ version: 2, key: 'id', summary: 'One has changed.', data: Type.Object(data) })

interface Spec {
  readonly name?: string
  readonly version?: number
  readonly summary?: string
  readonly operations?: Readonly<Record<string, OperationSpec>>
  readonly events?: Readonly<Record<string, EventSpec>>
}

function described(spec: Spec = {}): ContractDescription {
  const whole = {
    name: 'things',
    version: 1,
    summary: 'Things.',
    operations: { change, list },
    events: { changed },
  }
  return describeContract(defineContract({ ...whole, ...spec }))
}

const before = described()
/** The contract with something else in the operation `change`. */
const withChange = (part: Partial<OperationSpec>): Spec => ({
  operations: { change: { ...change, ...part }, list },
})
const withList = (part: Partial<OperationSpec>): Spec => ({
  operations: { change, list: { ...list, ...part } },
})
const without = <T extends object>(fields: T, name: keyof T): Record<string, TSchema> =>
  Object.fromEntries(Object.entries(fields).filter(([field]) => field !== name))
/** … in its input; a field given as undefined is gone. */
const withInput = (fields: Record<string, TSchema>): Spec =>
  withChange({ input: Type.Object({ ...input, ...fields }) })
const withOutput = (fields: Record<string, TSchema>): Spec =>
  withChange({ output: Type.Object({ ...output, ...fields }) })
const withEvent = (part: Partial<EventSpec>): Spec => ({ events: { changed: { ...changed, ...part } } })
const withRest = (part: object): Spec =>
  withChange({ http: { ...(change.http as object), ...part } as never })

const line = { sku: Type.String(), gift: Type.Optional(Type.Boolean()) }
const at = '/operations/change'

const end = { deprecated: { since: '2026-11-01', sunset: '2027-05-01', successor: 'list' } }

/** What changes, at which path of the description, what the change is called. Each stands for one single change. */
type Case = readonly [name: string, after: Spec, path: string, what: RegExp]

const breakingChanges: readonly Case[] = [
  ['the contract gets another name', { name: 'stuff' }, '/name', /"things" became "stuff"/],
  ['the contract gets another major version', { version: 2 }, '/version', /1 became 2/],
  ['an operation is removed', { operations: { change } }, '/operations/list', /removed/],
  [
    'a query becomes a command',
    withList({ kind: 'command', http: undefined }),
    '/operations/list/kind',
    /"query" became "command"/,
  ],
  [
    'a query becomes a stream',
    withList({ kind: 'stream' }),
    '/operations/list/kind',
    /"query" became "stream"/,
  ],
  ['access: a role less', withChange({ access: role('admin') }), `${at}/access`, /became/],
  ['access: users to role', withList({ access: role('admin') }), '/operations/list/access', /became/],
  [
    'access: users to services',
    withList({ access: service('cart'), http: undefined }),
    '/operations/list/access',
    /became/,
  ],
  ['route: no longer there', withList({ http: undefined }), '/operations/list/rest', /removed/],
  [
    'route: another method',
    withRest({ route: 'PATCH /things/{id}' }),
    `${at}/rest/method`,
    /"PUT" became "PATCH"/,
  ],
  ['route: another path', withRest({ route: 'PUT /stuff/{id}' }), `${at}/rest/path`, /became/],
  ['route: another status', withRest({ status: 202 }), `${at}/rest/status`, /200 became 202/],
  ['route: another API version', withRest({ version: 2 }), `${at}/rest/version`, /added 2/],
  ['route: moved to the root', withRest({ isAtRoot: true }), `${at}/rest/isAtRoot`, /false became true/],
  ['route: If-Match no longer', withRest({ ifMatch: undefined }), `${at}/rest/ifMatch`, /removed "version"/],
  [
    'route: If-Match is another field',
    withRest({ ifMatch: 'quantity' }),
    `${at}/rest/ifMatch`,
    /"version" became "quantity"/,
  ],
  [
    'route: a field comes from Prefer now',
    withRest({ prefer: 'waitS' }),
    `${at}/rest/prefer`,
    /added "waitS"/,
  ],
  [
    'route: accepted for a while',
    withRest({ acceptedWhile: { field: 'status', value: 'pending' } }),
    `${at}/rest/acceptedWhile`,
    /added/,
  ],
  ['route: ETag no longer', withRest({ etag: undefined }), `${at}/rest/etag`, /removed "version"/],
  [
    'route: ETag is another field',
    withRest({ etag: 'total' }),
    `${at}/rest/etag`,
    /"version" became "total"/,
  ],
  [
    'idempotency: natural to key',
    withList({ idempotency: 'key' }),
    '/operations/list/idempotency',
    /became "key"/,
  ],
  ['idempotency: key to none', withChange({ idempotency: 'none' }), `${at}/idempotency`, /became "none"/],
  [
    'idempotency: key is required',
    withChange({ idempotency: 'key_required' }),
    `${at}/idempotency`,
    /became "key_required"/,
  ],
  [
    'reason: another code',
    withChange({ reasons: { too_late: { code: 'aborted', status: 409, title: 'Too late' } } }),
    `${at}/reasons/too_late/code`,
    /"failed_precondition" became "aborted"/,
  ],
  [
    'reason: another status',
    withChange({ reasons: { too_late: { code: 'failed_precondition', title: 'Too late' } } }),
    `${at}/reasons/too_late/status`,
    /409 became 400/,
  ],

  ['input: new required field', withInput({ reason: Type.String() }), `${at}/input/required/reason`, /added/],
  [
    'input: field removed',
    withChange({ input: Type.Object(without(input, 'ratio')) }),
    `${at}/input/properties/ratio`,
    /removed/,
  ],
  ['input: field required now', withInput({ ratio: Type.Number() }), `${at}/input/required/ratio`, /added/],
  [
    'input: number to integer',
    withInput({ ratio: Type.Optional(Type.Integer()) }),
    `${at}/input/properties/ratio/type`,
    /"number" became "integer"/,
  ],
  [
    'input: another type',
    withInput({ quantity: Type.String() }),
    `${at}/input/properties/quantity`,
    /became/,
  ],
  [
    'input: maximum lowered',
    withInput({ quantity: Type.Integer({ minimum: 1, maximum: 5 }) }),
    `${at}/input/properties/quantity/maximum`,
    /10 became 5/,
  ],
  [
    'input: minimum raised',
    withInput({ quantity: Type.Integer({ minimum: 2, maximum: 10 }) }),
    `${at}/input/properties/quantity/minimum`,
    /1 became 2/,
  ],
  [
    'input: only multiples',
    withInput({ quantity: Type.Integer({ minimum: 1, maximum: 10, multipleOf: 2 }) }),
    `${at}/input/properties/quantity/multipleOf`,
    /added 2/,
  ],
  [
    'input: shorter',
    withInput({ id: Type.String({ minLength: 1, maxLength: 10, pattern: '^[a-z]+$' }) }),
    `${at}/input/properties/id/maxLength`,
    /20 became 10/,
  ],
  [
    'input: longer at least',
    withInput({ id: Type.String({ minLength: 2, maxLength: 20, pattern: '^[a-z]+$' }) }),
    `${at}/input/properties/id/minLength`,
    /1 became 2/,
  ],
  [
    'input: another pattern',
    withInput({ id: Type.String({ minLength: 1, maxLength: 20, pattern: '^[a-y]+$' }) }),
    `${at}/input/properties/id/pattern`,
    /became/,
  ],
  [
    'input: a format',
    withInput({
      address: Type.Object({ city: Type.String({ format: 'email' }), zip: Type.Optional(Type.String()) }),
    }),
    `${at}/input/properties/address/properties/city/format`,
    /added "email"/,
  ],
  [
    'input: a choice less',
    withInput({ color: Type.Literal('red') }),
    `${at}/input/properties/color`,
    /became/,
  ],
  ['input: null no longer', withInput({ note: Type.String() }), `${at}/input/properties/note`, /became/],
  [
    'input: fewer items',
    withInput({
      tags: Type.Optional(Type.Array(Type.String({ maxLength: 5 }), { minItems: 1, maxItems: 3 })),
    }),
    `${at}/input/properties/tags/maxItems`,
    /5 became 3/,
  ],
  [
    'input: more items at least',
    withInput({
      tags: Type.Optional(Type.Array(Type.String({ maxLength: 5 }), { minItems: 2, maxItems: 5 })),
    }),
    `${at}/input/properties/tags/minItems`,
    /1 became 2/,
  ],
  [
    'input: shorter items',
    withInput({
      tags: Type.Optional(Type.Array(Type.String({ maxLength: 4 }), { minItems: 1, maxItems: 5 })),
    }),
    `${at}/input/properties/tags/items/maxLength`,
    /5 became 4/,
  ],
  [
    'input: no repeated items',
    withInput({
      tags: Type.Optional(
        Type.Array(Type.String({ maxLength: 5 }), { minItems: 1, maxItems: 5, uniqueItems: true }),
      ),
    }),
    `${at}/input/properties/tags/uniqueItems`,
    /added true/,
  ],
  [
    'input: inner field removed',
    withInput({ address: Type.Object({ city: Type.String() }) }),
    `${at}/input/properties/address/properties/zip`,
    /removed/,
  ],
  [
    'input: inner field required',
    withInput({ address: Type.Object({ city: Type.String(), zip: Type.String() }) }),
    `${at}/input/properties/address/required/zip`,
    /added/,
  ],
  [
    'input: narrower record',
    withInput({ labels: Type.Optional(Type.Record(Type.String(), Type.Integer({ minimum: 0 }))) }),
    `${at}/input/properties/labels/patternProperties/^.*$/minimum`,
    /added 0/,
  ],
  [
    'input: shorter tuple',
    withInput({ size: Type.Optional(Type.Tuple([Type.Integer()])) }),
    `${at}/input/properties/size/prefixItems/1`,
    /removed/,
  ],
  [
    'input: narrower tuple',
    withInput({ size: Type.Optional(Type.Tuple([Type.Integer(), Type.Integer({ minimum: 0 })])) }),
    `${at}/input/properties/size/prefixItems/1/minimum`,
    /added 0/,
  ],

  [
    'output: field removed',
    withChange({ output: Type.Object(without(output, 'total')) }),
    `${at}/output/required/total`,
    /removed/,
  ],
  [
    'output: optional field removed',
    withChange({ output: Type.Object(without(output, 'due')) }),
    `${at}/output/properties/due`,
    /removed/,
  ],
  [
    'output: field may be missing',
    withOutput({ total: Type.Optional(Type.Integer({ minimum: 0 })) }),
    `${at}/output/required/total`,
    /removed/,
  ],
  [
    'output: integer to number',
    withOutput({ total: Type.Number({ minimum: 0 }) }),
    `${at}/output/properties/total/type`,
    /"integer" became "number"/,
  ],
  [
    'output: wider range',
    withOutput({ total: Type.Integer() }),
    `${at}/output/properties/total/minimum`,
    /removed 0/,
  ],
  [
    'output: longer',
    withOutput({ id: Type.String({ maxLength: 30 }) }),
    `${at}/output/properties/id/maxLength`,
    /20 became 30/,
  ],
  [
    'output: a choice more',
    withOutput({ status: Type.Enum(['pending', 'done', 'lost']) }),
    `${at}/output/properties/status`,
    /became/,
  ],
  [
    'output: null added',
    withOutput({ total: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]) }),
    `${at}/output/properties/total`,
    /became/,
  ],
  [
    'output: a format less',
    withOutput({ due: Type.Optional(Type.String()) }),
    `${at}/output/properties/due/format`,
    /removed "date"/,
  ],
  [
    'output: inner field may be missing',
    withOutput({ lines: Type.Array(Type.Object({ ...line, sku: Type.Optional(Type.String()) })) }),
    `${at}/output/properties/lines/items/required/sku`,
    /removed/,
  ],
  [
    'output: no longer a list',
    withList({ output: Type.Object({ items: Type.Array(Type.String()) }) }),
    '/operations/list/output',
    /became/,
  ],

  ['event: removed', { events: {} }, '/events/changed', /removed/],
  ['event: lower version', withEvent({ version: 1 }), '/events/changed/version', /2 became 1/],
  ['event: another key', withEvent({ key: 'total' }), '/events/changed/key', /"id" became "total"/],
  [
    'event: field removed, version not raised',
    withEvent({ data: Type.Object(without(data, 'total')) }),
    '/events/changed/data/required/total',
    /removed/,
  ],
  [
    'event: wider field, version not raised',
    withEvent({ data: Type.Object({ ...data, total: Type.Number() }) }),
    '/events/changed/data/properties/total/type',
    /became "number"/,
  ],
]

const compatibleChanges: readonly Case[] = [
  ['an operation is going to go', withChange(end), `${at}/deprecated`, /added/],
  ['the contract gets another summary', { summary: 'Stuff.' }, '/summary', /became/],
  [
    'an operation is added',
    { operations: { change, list, find: { ...list, http: 'GET /find' } } },
    '/operations/find',
    /added/,
  ],
  [
    'an operation gets another summary',
    withList({ summary: 'Shows them.' }),
    '/operations/list/summary',
    /became/,
  ],
  [
    'access: a role more',
    withChange({ access: role('admin', 'buyer', 'support') }),
    `${at}/access`,
    /became/,
  ],
  ['access: role to users', withChange({ access: user }), `${at}/access`, /became/],
  ['access: users to anyone', withList({ access: anyone }), '/operations/list/access', /became/],
  [
    'route: another name in braces',
    withChange({ http: { route: 'PUT /things/{color}', ifMatch: 'version', etag: 'version' } }),
    `${at}/rest/path`,
    /became/,
  ],
  [
    'idempotency: key to natural',
    withChange({ idempotency: 'natural' }),
    `${at}/idempotency`,
    /became "natural"/,
  ],
  [
    'reason: added',
    withChange({ reasons: { ...change.reasons, gone: { code: 'not_found', title: 'Gone' } } }),
    `${at}/reasons/gone`,
    /added/,
  ],
  ['reason: removed', withChange({ reasons: {} }), `${at}/reasons/too_late`, /removed/],
  [
    'reason: another title',
    withChange({ reasons: { too_late: { code: 'failed_precondition', status: 409, title: 'Late' } } }),
    `${at}/reasons/too_late/title`,
    /became "Late"/,
  ],
  ['shorter timeout', withChange({ timeoutMs: 500 }), `${at}/timeoutMs`, /10000 became 500/],
  ['longer timeout', withChange({ timeoutMs: 50_000 }), `${at}/timeoutMs`, /10000 became 50000/],
  [
    'criticality',
    withChange({ criticality: 'sheddable' }),
    `${at}/criticality`,
    /"critical" became "sheddable"/,
  ],
  [
    'cache: longer',
    withList({ cache: { maxAgeS: 20, scope: 'private' } }),
    '/operations/list/cache',
    /became/,
  ],
  ['cache: no longer', withList({ cache: undefined }), '/operations/list/cache', /removed/],

  [
    'input: new optional field',
    withInput({ reason: Type.Optional(Type.String()) }),
    `${at}/input/properties/reason`,
    /added/,
  ],
  [
    'input: field optional now',
    withInput({ color: Type.Optional(input.color) }),
    `${at}/input/required/color`,
    /removed/,
  ],
  [
    'input: integer to number',
    withInput({ quantity: Type.Number({ minimum: 1, maximum: 10 }) }),
    `${at}/input/properties/quantity/type`,
    /"integer" became "number"/,
  ],
  [
    'input: wider range',
    withInput({ quantity: Type.Integer({ minimum: 1, maximum: 100 }) }),
    `${at}/input/properties/quantity/maximum`,
    /10 became 100/,
  ],
  [
    'input: any pattern',
    withInput({ id: Type.String({ minLength: 1, maxLength: 20 }) }),
    `${at}/input/properties/id/pattern`,
    /removed/,
  ],
  [
    'input: a choice more',
    withInput({ color: Type.Enum(['red', 'blue', 'green']) }),
    `${at}/input/properties/color`,
    /became/,
  ],
  [
    'input: a choice written otherwise',
    withInput({ color: Type.Enum(['red', 'blue']) }),
    `${at}/input`,
    /became/,
  ],
  [
    'input: null allowed',
    withInput({ color: Type.Union([input.color, Type.Null()]) }),
    `${at}/input/properties/color`,
    /became/,
  ],
  [
    'input: more items',
    withInput({
      tags: Type.Optional(Type.Array(Type.String({ maxLength: 5 }), { minItems: 1, maxItems: 50 })),
    }),
    `${at}/input/properties/tags/maxItems`,
    /5 became 50/,
  ],
  [
    'input: a default',
    withInput({ ratio: Type.Optional(Type.Number({ default: 1 })) }),
    `${at}/input`,
    /became/,
  ],

  ['output: new field', withOutput({ owner: Type.String() }), `${at}/output/required/owner`, /added/],
  [
    'output: new optional field',
    withOutput({ owner: Type.Optional(Type.String()) }),
    `${at}/output/properties/owner`,
    /added/,
  ],
  [
    'output: new inner field',
    withOutput({ lines: Type.Array(Type.Object({ ...line, price: Type.Integer() })) }),
    `${at}/output/properties/lines/items/required/price`,
    /added/,
  ],
  [
    'output: field always there now',
    withOutput({ due: Type.String({ format: 'date' }) }),
    `${at}/output/required/due`,
    /added/,
  ],
  [
    'output: number to integer, by range',
    withOutput({ total: Type.Integer({ minimum: 1 }) }),
    `${at}/output/properties/total/minimum`,
    /0 became 1/,
  ],
  [
    'output: a choice less',
    withOutput({ status: Type.Enum(['done']) }),
    `${at}/output/properties/status`,
    /became/,
  ],
  [
    'output: shorter',
    withOutput({ id: Type.String({ maxLength: 10 }) }),
    `${at}/output/properties/id/maxLength`,
    /20 became 10/,
  ],

  ['event: added', { events: { changed, gone: changed } }, '/events/gone', /added/],
  ['event: another summary', withEvent({ summary: 'Other.' }), '/events/changed/summary', /became/],
  [
    'event: new field, version not raised',
    withEvent({ data: Type.Object({ ...data, owner: Type.String() }) }),
    '/events/changed/data/required/owner',
    /added/,
  ],
  ['event: version raised', withEvent({ version: 3 }), '/events/changed/version', /2 became 3/],
  [
    'event: field removed, version raised',
    withEvent({ version: 3, data: Type.Object(without(data, 'total')) }),
    '/events/changed/data/required/total',
    /removed/,
  ],
]

const find = (changes: readonly Change[], path: string): Change | undefined =>
  changes.find((candidate) => candidate.path === path)

describe('compareContracts', () => {
  for (const [name, after, path, what] of breakingChanges) {
    it(`compareContracts finds breaking: ${name}`, () => {
      const changes = compareContracts(before, described(after))
      const found = find(changes, path)
      assert.ok(found?.isBreaking, JSON.stringify(changes, null, 2))
      assert.match(found.what, what)
      assert.ok(found.why.length > 0)
    })
  }

  for (const [name, after, path, what] of compatibleChanges) {
    it(`compareContracts finds compatible: ${name}`, () => {
      const changes = compareContracts(before, described(after))
      assert.deepEqual(
        changes.filter(({ isBreaking }) => isBreaking),
        [],
      )
      assert.match(find(changes, path)?.what ?? JSON.stringify(changes), what)
    })
  }

  it('compareContracts takes a wait that is new, or is no longer granted, for compatible', () => {
    const patient = withRest({ prefer: 'waitS' })
    const withoutWait = withChange({ input: Type.Object(without(input, 'waitS')) })
    const verdicts = (one: Spec, other: Spec) =>
      compareContracts(described(one), described(other)).map(({ path, isBreaking }) => [path, isBreaking])
    assert.deepEqual(verdicts(withoutWait, patient), [
      [`${at}/rest/prefer`, false],
      [`${at}/input/properties/waitS`, false],
    ])
    assert.deepEqual(verdicts(patient, {}), [[`${at}/rest/prefer`, false]])
  })

  it('compareContracts takes any change of what 202 says for breaking', () => {
    const accepted = (value: string) => withRest({ acceptedWhile: { field: 'status', value } })
    for (const other of [accepted('done'), {}]) {
      const [change, ...more] = compareContracts(described(accepted('pending')), described(other))
      assert.deepEqual([change?.path, change?.isBreaking, more], [`${at}/rest/acceptedWhile`, true, []])
    }
  })

  it('compareContracts goes by the version that is in the path, whoever names it', () => {
    const verdicts = (one: Spec, other: Spec) =>
      compareContracts(described(one), described(other)).map(({ path, isBreaking }) => [path, isBreaking])
    const [kept, moved] = [
      { version: 2, ...withRest({ version: 1 }) },
      { version: 2, ...withRest({ version: 3 }) },
    ]
    const both = ['/version', true]
    assert.deepEqual(verdicts({}, withRest({ version: 1 })), [])
    assert.deepEqual(verdicts({}, kept), [both, [`${at}/rest/version`, false]])
    assert.deepEqual(verdicts({}, moved), [both, [`${at}/rest/version`, true]])
    assert.deepEqual(verdicts(kept, moved), [[`${at}/rest/version`, true]])
  })

  it('compareContracts of a contract with itself, read back from a file too, finds nothing', () => {
    assert.deepEqual(compareContracts(before, before), [])
    assert.deepEqual(compareContracts(JSON.parse(JSON.stringify(before)), described()), [])
  })

  it('compareContracts says why, of a raised event too', () => {
    const raised = withEvent({ version: 3, data: Type.Object({ id: Type.String(), at: Type.String() }) })
    const whys = compareContracts(before, described(raised)).map(({ path, why }) => `${path} ${why}`)
    assert.deepEqual(whys, [
      '/events/changed/version readers see that it is another event',
      '/events/changed/data/required/total the raised version tells readers',
      '/events/changed/data/properties/total the raised version tells readers',
      '/events/changed/data/required/at promises more, or what old readers ignore',
      '/events/changed/data/properties/at promises more, or what old readers ignore',
    ])
  })

  it('compareContracts sees two changes at once, and tells what breaks of each', () => {
    const changes = compareContracts(
      before,
      described(withInput({ quantity: Type.String(), reason: Type.String() })),
    )
    const broken = changes.filter(({ isBreaking }) => isBreaking).map(({ path }) => path)
    assert.deepEqual(broken, [`${at}/input/required/reason`, `${at}/input/properties/quantity`])
  })

  it('compareContracts mentions every change, whatever it is', () => {
    const anyCase = fc.constantFrom(...breakingChanges, ...compatibleChanges)
    fc.assert(
      fc.property(anyCase, anyCase, ([, one], [, other]) => {
        const [first, second] = [described(one), described(other)]
        const isSame = JSON.stringify(first) === JSON.stringify(second)
        assert.equal(compareContracts(first, second).length === 0, isSame)
      }),
    )
  })

  it('compareContracts tells of fields without a schema that are taken no longer', () => {
    const inputOf = (additionalProperties: boolean): ContractDescription => {
      const { change: one, ...rest } = before.operations
      const open = { type: 'object', additionalProperties }
      return { ...before, operations: { ...rest, change: { ...one, input: open } as typeof one & object } }
    }
    const [found] = compareContracts(inputOf(true), inputOf(false))
    assert.equal(found?.path, `${at}/input/additionalProperties`)
    assert.equal(found.what, 'changed')
    assert.ok(found.isBreaking)
  })

  it('compareContracts is not misled by names that every object has', () => {
    const after = described({ operations: { change, list, toString: { ...list, http: undefined } } })
    assert.equal(find(compareContracts(before, after), '/operations/toString')?.what, 'added')
    assert.equal(find(compareContracts(after, before), '/operations/toString')?.what, 'removed')
  })

  it('compareContracts calls a new access rule compatible only if it lets everybody in whom the old one did', () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'))
    const anyAccess: fc.Arbitrary<Access> = fc.oneof(
      fc.constantFrom(anyone, user, anyService),
      names.map((roles) => role(...roles)),
      names.map((services) => service(...services)),
    )
    const anyUser = fc.record({
      id: fc.constant('u'),
      roles: names,
      scopes: fc.constant([]),
      tier: fc.constant('free'),
    })
    const anyCaller = fc.record(
      { user: anyUser, service: fc.constantFrom('a', 'b', 'c') },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(anyAccess, anyAccess, fc.array(anyCaller, { maxLength: 5 }), (one, other, callers) => {
        const ofAccess = (access: Access): ContractDescription =>
          described(withList({ access, http: undefined }))
        const change = find(compareContracts(ofAccess(one), ofAccess(other)), '/operations/list/access')
        if (change?.isBreaking) return
        for (const caller of callers as Caller[]) {
          const wasLetIn = refusal(one, caller, 'things:read') === undefined
          if (wasLetIn) assert.equal(refusal(other, caller, 'things:read'), undefined)
        }
      }),
    )
  })

  it('compareContracts knows which idempotency an old caller may be given for which', () => {
    const kinds: readonly Idempotency[] = ['natural', 'key', 'key_required', 'none']
    const breaks = (one: Idempotency, other: Idempotency): boolean => {
      const [old, now] = [one, other].map((idempotency) => described(withChange({ idempotency })))
      return compareContracts(old as ContractDescription, now as ContractDescription).some(
        ({ isBreaking }) => isBreaking,
      )
    }
    const table = Object.fromEntries(kinds.map((one) => [one, kinds.filter((other) => breaks(one, other))]))
    assert.deepEqual(table, {
      natural: ['key', 'key_required', 'none'],
      key: ['key_required', 'none'],
      key_required: ['none'],
      none: ['key_required'],
    })
  })
})
