import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { anyone } from '../contract/access.ts'
import { defineContract } from '../contract/contract.ts'
import { query } from '../contract/operation.ts'
import { Type } from '../contract/schema.ts'
import { Cancellation } from '../kernel/cancellation.ts'
import { createIds } from '../kernel/ids.ts'
import { seededRandom } from '../kernel/random.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import type { Instance } from '../registry/directory.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { SpanRing } from '../telemetry/spans.ts'
import type { CallRequest } from '../wire/wire.ts'
import { CallPolicies, mistakesInCalls, type ServicePolicies, servicePoliciesCheck } from './call-policies.ts'
import { Callee, OutgoingOperation } from './outgoing.ts'

const spec = {
  summary: 'Does it.',
  access: anyone,
  input: Type.Object({ id: Type.String() }),
  output: Type.Object({}),
}
const contract = defineContract({
  name: 'callee',
  version: 1,
  summary: 'Is called.',
  operations: { read: query(spec), find: query(spec) },
})

const instanceOf = (instance: string, more: Partial<Instance> = {}): Instance => {
  return { instance, service: 'callee', version: '1', frames: '', http: '', ...more }
}

/** Two operations of one callee, which pick among instances but never connect. */
function setUp(instances: readonly Instance[], given: ServicePolicies = {}, zone = '') {
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const policies = new CallPolicies(given)
  const directory = { instances }
  const options = {
    ports: { clock, random, newId: createIds(clock, random) },
    metrics: new Metrics(),
    spans: new SpanRing({ sizeMax: 8 }),
    directory: { instancesOf: () => directory.instances, report: () => {} },
    openChannel: () => assert.fail('nobody connects'),
    localChannel: () => undefined,
    policies,
    self: { instance: 'me', zone },
  }
  const callee = new Callee('callee', options)
  const read = new OutgoingOperation(contract.operations.read, callee, options)
  const find = new OutgoingOperation(contract.operations.find, callee, options)
  const pick = (of: OutgoingOperation, id = 'x', user?: string): string | undefined => {
    const request: CallRequest = {
      operation: of.operation,
      input: { id },
      wantsJson: false,
      startMs: 0,
      caller: user === undefined ? {} : { user: { id: user, roles: [], scopes: [], tier: 'free' } },
      deadlineMs: 1_000,
      requestId: undefined,
      trace: TraceContext.start(random, false),
      criticality: 'critical',
      cancellation: new Cancellation(),
      idempotencyKey: undefined,
    }
    return of.pick(request, undefined, clock.monotonicMs())?.id
  }
  const picks = (of: OutgoingOperation, times: number): string => {
    return Array.from({ length: times }, () => pick(of)).join('')
  }
  return { clock, policies, directory, read, find, pick, picks }
}

const abc = ['a', 'b', 'c'].map((id) => instanceOf(id))

describe('CallPolicies', () => {
  it('hold for a service, and those of an operation before them; from the next call on when they change', () => {
    const { policies, read, find, picks } = setUp(abc, {
      callee: { balance: { policy: 'round_robin' }, operations: { find: { balance: { policy: 'random' } } } },
    })
    assert.equal(picks(read, 6), 'abcabc')
    assert.doesNotMatch(picks(find, 30), /^(abc)+$/)
    policies.replace({ callee: { operations: { find: { balance: { policy: 'round_robin' } } } } })
    assert.equal(picks(find, 6), 'abcabc')
    assert.doesNotMatch(picks(read, 30), /^(abc)+$/)
  })

  it('keep calls of one key together', () => {
    const { pick, read, policies } = setUp(abc, {
      callee: { balance: { policy: 'consistent_hash', key: 'input.id' } },
    })
    const homes = (of: (index: number) => string | undefined) =>
      Array.from({ length: 40 }, (_, index) => of(index))
    const byId = homes((index) => pick(read, `id-${index}`))
    assert.deepEqual(
      homes((index) => pick(read, `id-${index}`, `somebody-${index % 3}`)),
      byId,
    )
    assert.equal(new Set(byId).size, 3)
    policies.replace({ callee: { balance: { policy: 'consistent_hash', key: 'user' } } })
    assert.equal(new Set(homes((index) => pick(read, `id-${index}`, 'u1'))).size, 1)
    assert.equal(new Set(homes((index) => pick(read, 'one', `user-${index}`))).size, 3)
    // Who has none is balanced like anybody.
    assert.equal(new Set(homes((index) => pick(read, `id-${index}`))).size, 3)
  })

  it('heed weights and zones that instances announce', () => {
    const weighty = [instanceOf('a', { weight: 3 }), instanceOf('b')]
    const { picks, read, directory } = setUp(weighty, {
      callee: { balance: { policy: 'weighted_round_robin' } },
    })
    assert.equal(picks(read, 8), 'aabaaaba')
    directory.instances = [instanceOf('a', { weight: 1 }), instanceOf('b')]
    assert.match(picks(read, 6), /^(ab|ba)+$/)
    const zones = setUp([instanceOf('a', { zone: 'z1' }), instanceOf('b', { zone: 'z2' })], {}, 'z2')
    assert.equal(zones.picks(zones.read, 5), 'bbbbb')
  })

  it('bound how many instances one process calls', () => {
    const many = Array.from({ length: 20 }, (_, index) => instanceOf(`${index} `))
    const { picks, read, policies } = setUp(many, {
      callee: { balance: { policy: 'round_robin', subset: 4 } },
    })
    assert.equal(new Set(picks(read, 40).trim().split(' ')).size, 4)
    policies.replace({})
    assert.equal(new Set(picks(read, 400).trim().split(' ')).size, 20)
  })

  it('begin with little for an instance that joins others', async () => {
    const { picks, read, directory, clock } = setUp(abc, { callee: { balance: { policy: 'round_robin' } } })
    picks(read, 1)
    directory.instances = [...abc, instanceOf('d')]
    const share = (): number => picks(read, 310).split('d').length - 1
    assert.ok(share() <= 12)
    await clock.advance(30_000)
    assert.ok(share() >= 75)
  })
})

describe('mistakesInCalls', () => {
  const known = new Map([
    ['callee', contract],
    ['far', undefined],
  ])
  const hash = (key: string) => ({ balance: { policy: 'consistent_hash', key } }) as const

  it('mistakesInCalls finds nothing where everything that is named is there', () => {
    const right: ServicePolicies = {
      callee: { ...hash('input.id'), operations: { read: hash('input.id'), find: hash('user') } },
      far: { ...hash('input.colour'), operations: { anything: hash('input.colour') } },
    }
    assert.deepEqual(mistakesInCalls(right, known), [])
  })

  it('mistakesInCalls names services, operations and fields that are not there', () => {
    const wrong: ServicePolicies = {
      callee: {
        ...hash('input.colour'),
        operations: { read: hash('input.toString'), write: hash('input.id'), toString: {} },
      },
      table: {},
    }
    assert.deepEqual(mistakesInCalls(wrong, known), [
      '/callee/balance/key: there is no such input field',
      '/callee/operations/read/balance/key: there is no such input field',
      '/callee/operations/write: there is no such operation',
      '/callee/operations/toString: there is no such operation',
      '/table: there is no such service',
    ])
  })
})

describe('servicePoliciesCheck', () => {
  it('names every mistake by its path', () => {
    const wrong = {
      catalog: {
        balance: { policy: 'fastest', panicShare: 2, subset: 0, colour: 'red' },
        operations: { list: { balance: { key: 'header.x', subset: 3 } } },
      },
      cart: { balanced: true },
    }
    assert.deepEqual(
      servicePoliciesCheck(wrong)
        ?.map(({ pointer }) => pointer)
        .toSorted(),
      [
        '/cart/balanced',
        '/catalog/balance/colour',
        '/catalog/balance/panicShare',
        '/catalog/balance/policy',
        '/catalog/balance/subset',
        '/catalog/operations/list/balance/key',
        '/catalog/operations/list/balance/subset',
      ],
    )
    assert.equal(servicePoliciesCheck({ catalog: { balance: { policy: 'random' } } }), undefined)
  })
})
