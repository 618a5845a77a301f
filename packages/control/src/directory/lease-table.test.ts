import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Instance, instanceKey } from '@flotilla/core/directory'
import { LEASE_MS, type Update } from '@flotilla/core/registry'
import fc from 'fast-check'
import { LeaseTable } from './lease-table.ts'

function makeInstance(service: string, name: string, version = '1'): Instance {
  return { service, instance: name, version, frames: `unix:/tmp/${name}.sock`, http: `http://${name}` }
}

const anyInstance = fc
  .tuple(fc.constantFrom('catalog', 'cart'), fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'))
  .map(([service, name, version]) => makeInstance(service, name, version))

type Step =
  | { readonly does: 'register' | 'deregister' | 'fail' | 'answer'; readonly instance: Instance }
  | { readonly does: 'pass'; readonly ms: number }

const anySteps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      does: fc.constantFrom('register', 'deregister', 'fail', 'answer'),
      instance: anyInstance,
    }),
    fc.record({ does: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: LEASE_MS + 1 }) }),
  ),
  { maxLength: 80 },
)

/** What one who only hears the news believes. */
function hear(view: Map<string, Instance>, news: readonly (Update | undefined)[]): void {
  for (const update of news) {
    if (update === undefined || update.kind === 'snapshot') continue
    if (update.kind === 'up') view.set(instanceKey(update.instance), update.instance)
    else view.delete(instanceKey(update.instance))
  }
}

const byKey = (instances: Iterable<Instance>): Instance[] =>
  [...instances].sort((a, b) => (instanceKey(a) < instanceKey(b) ? -1 : 1))

/** The table as plainly as can be. */
class Model {
  readonly records = new Map<string, { instance: Instance; untilMs: number; isWell: boolean }>()
  nowMs = 0

  apply(step: Step): void {
    if (step.does === 'pass') {
      this.nowMs += step.ms
      for (const [key, { untilMs }] of this.records) if (untilMs <= this.nowMs) this.records.delete(key)
      return
    }
    const key = instanceKey(step.instance)
    const record = this.records.get(key)
    if (step.does === 'register') {
      this.records.set(key, { instance: step.instance, untilMs: this.nowMs + LEASE_MS, isWell: true })
    } else if (step.does === 'deregister') this.records.delete(key)
    else if (record !== undefined) record.isWell = step.does === 'answer'
  }

  get up(): Instance[] {
    return byKey([...this.records.values()].filter(({ isWell }) => isWell).map(({ instance }) => instance))
  }
}

function applyTo(table: LeaseTable, step: Step, nowMs: number): readonly (Update | undefined)[] {
  switch (step.does) {
    case 'register':
      return [table.register(step.instance, nowMs)]
    case 'deregister':
      return [table.deregister(step.instance)]
    case 'fail':
      return [table.checked(step.instance, false)]
    case 'answer':
      return [table.checked(step.instance, true)]
    case 'pass':
      return table.expire(nowMs)
  }
}

describe('LeaseTable', () => {
  it('does what the model does, and its news alone give the same view', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const [table, model, view] = [new LeaseTable(), new Model(), new Map<string, Instance>()]
        for (const step of steps) {
          model.apply(step)
          hear(view, applyTo(table, step, model.nowMs))
          assert.deepEqual(byKey(table.instances), model.up)
          assert.deepEqual(byKey(view.values()), model.up)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('says nothing of a heartbeat that changes nothing', () => {
    fc.assert(
      fc.property(anySteps, anyInstance, (steps, instance) => {
        const [table, model] = [new LeaseTable(), new Model()]
        for (const step of steps) {
          model.apply(step)
          applyTo(table, step, model.nowMs)
        }
        table.register(instance, model.nowMs)
        assert.equal(table.register({ ...instance }, model.nowMs + 1), undefined)
        assert.deepEqual(table.register({ ...instance, version: 'new' }, model.nowMs)?.kind, 'up')
      }),
    )
  })

  it('tells why an instance is gone', () => {
    const table = new LeaseTable()
    const instance = makeInstance('cart', 'a')
    const why = (update: Update | undefined): string => (update?.kind === 'down' ? update.why : 'not down')
    table.register(instance, 0)
    assert.deepEqual(table.expire(LEASE_MS - 1), [])
    assert.deepEqual(table.expire(LEASE_MS).map(why), ['expired'])
    table.register(instance, 0)
    assert.equal(why(table.checked(instance, false)), 'unhealthy')
    assert.equal(why(table.deregister(instance)), 'left')
    assert.equal(table.deregister(instance), undefined)
  })

  it('doubts those that are silent, and those that did not answer', () => {
    const table = new LeaseTable()
    const [silent, heard, ill] = ['silent', 'heard', 'ill'].map((name) => makeInstance('cart', name))
    for (const instance of [silent, heard, ill]) table.register(instance as Instance, 0)
    table.register(heard as Instance, 5_000)
    table.register(ill as Instance, 5_000)
    table.checked(ill as Instance, false)
    assert.deepEqual(table.doubtful(7_499, 7_500), [ill])
    assert.deepEqual(table.doubtful(7_500, 7_500), [silent, ill])
  })

  it('knows all instances of a process, and the record of one', () => {
    const table = new LeaseTable()
    const [cart, catalog] = [makeInstance('cart', 'a'), makeInstance('catalog', 'a')]
    for (const instance of [cart, catalog, makeInstance('cart', 'b')]) table.register(instance, 0)
    table.checked(cart, false)
    assert.deepEqual(table.ofProcess('http://a'), [cart, catalog])
    assert.equal(table.find({ service: 'cart', instance: 'a' }), cart)
    assert.equal(table.find({ service: 'cart', instance: 'c' }), undefined)
  })

  it('is bounded: full for others, not for those it knows', () => {
    const table = new LeaseTable()
    for (let index = 0; index < 10_000; index++) {
      const instance = makeInstance('cart', `i${index}`)
      assert.ok(table.hasRoomFor(instance))
      table.register(instance, 0)
    }
    assert.ok(!table.hasRoomFor(makeInstance('cart', 'new')))
    assert.ok(table.hasRoomFor(makeInstance('cart', 'i7')))
  })
})
