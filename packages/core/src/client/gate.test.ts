import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { anyone } from '../contract/access.ts'
import { defineContract } from '../contract/contract.ts'
import { query } from '../contract/operation.ts'
import { Type } from '../contract/schema.ts'
import { type Code, codes } from '../kernel/code.ts'
import { type ErrorOptions, FlotillaError } from '../kernel/error.ts'
import { seededRandom } from '../kernel/random.ts'
import { Latencies } from '../resilience/latencies.ts'
import { defaultRules } from './call-policies.ts'
import { Gate } from './gate.ts'

const { read } = defineContract({
  name: 'callee',
  version: 1,
  summary: 'Is called.',
  operations: {
    read: query({ summary: 'Does it.', access: anyone, output: Type.Object({}), timeoutMs: 1_000 }),
  },
}).operations

const ENDLESS = { deadlineMs: Number.POSITIVE_INFINITY }

function setUp() {
  const latencies = new Latencies()
  const gate = new Gate(read, latencies, seededRandom(1))
  return { gate, latencies }
}

/** A gate that has seen a thousand answers of 50 ms each, ending at 2,000. */
function experienced() {
  const { gate, latencies } = setUp()
  for (let nowMs = 0; nowMs < 2_000; nowMs++) latencies.observe(50, nowMs)
  return gate
}

const failed = (code: Code, isRemote: boolean, options: ErrorOptions = {}): FlotillaError =>
  new FlotillaError(code, 'It failed.', options, isRemote)

describe('Gate', () => {
  it('Gate lets so many calls through at once, and says of one more that it did not begin', () => {
    const { gate } = setUp()
    gate.configure({ ...defaultRules, inFlightMax: 3 })
    const permits = [1, 2, 3].map(() => gate.enter(ENDLESS, 0))
    assert.ok(permits.every((permit) => typeof permit === 'number'))
    assert.equal(gate.enter(ENDLESS, 0), 'full')
    const { code, executed, reason, retryAfterMs } = gate.refusalOf('full', 0)
    assert.deepEqual([code, executed, reason], ['unavailable', 'no', 'bulkhead_full'])
    assert.ok((retryAfterMs ?? 0) > 0)
    gate.leave(permits[0] as number, 'success', 0)
    assert.equal(typeof gate.enter(ENDLESS, 0), 'number')
    assert.equal(gate.inFlight, 3)
  })

  it('Gate refuses what has less time left than half of the calls take, but a fifth of ten seconds at most', () => {
    const gate = experienced()
    const refused = (leftMs: number): number => {
      let count = 0
      for (let call = 0; call < 1_000; call++) {
        const permit = gate.enter({ deadlineMs: 3_000 + leftMs }, 3_000)
        if (typeof permit === 'number') gate.leave(permit, 'success', 3_000)
        else {
          assert.equal(permit, 'late')
          count++
        }
      }
      return count
    }
    assert.equal(refused(60), 0)
    const count = refused(20)
    assert.ok(count >= 190 && count <= 400, `${count}`)
    gate.configure({ ...defaultRules, refuseLate: false })
    assert.equal(refused(20), 0)
    assert.equal(gate.refusalOf('late', 0).code, 'deadline_exceeded')
    assert.equal(gate.refusalOf('late', 0).executed, 'no')
  })

  it('Gate refuses nothing for want of time while it knows nothing', () => {
    const { gate } = setUp()
    assert.equal(typeof gate.enter({ deadlineMs: 1 }, 0), 'number')
  })

  it('Gate takes for failures what the callee answers, and time that was long enough; nothing else', () => {
    const { gate } = setUp()
    const failing = new Set<Code>(['unavailable', 'internal', 'unknown', 'data_loss'])
    for (const code of Object.keys(codes) as Code[]) {
      if (code === 'deadline_exceeded') continue
      const answered = failing.has(code) ? 'failure' : code === 'canceled' ? 'nothing' : 'success'
      assert.equal(gate.outcomeOf(failed(code, true), 1, 0), answered, code)
      // What this process concludes by itself: not reached, lost, not encodable.
      assert.equal(gate.outcomeOf(failed(code, false), 1, 0), 'nothing', code)
      assert.equal(gate.outcomeOf(failed(code, true, { isOverloaded: true }), 1, 0), 'nothing', code)
    }
    assert.equal(gate.outcomeOf(undefined, 1, 0), 'success')
    for (const isRemote of [true, false]) {
      const late = failed('deadline_exceeded', isRemote)
      assert.equal(gate.outcomeOf(late, 499, 0), 'nothing')
      assert.equal(gate.outcomeOf(late, 500, 0), 'failure')
      assert.equal(experienced().outcomeOf(late, 49, 3_000), 'nothing')
      assert.equal(experienced().outcomeOf(late, 60, 3_000), 'failure')
    }
    assert.equal(gate.outcomeOf(failed('deadline_exceeded', false, { executed: 'no' }), 900, 0), 'nothing')
  })

  it('Gate refuses while the breaker is open, and says until when; switched off, it refuses nothing', () => {
    const { gate } = setUp()
    let opened = 0
    for (let call = 0; call < 20; call++) {
      if (gate.leave(gate.enter(ENDLESS, 0) as number, 'failure', 0)) opened++
    }
    assert.equal(opened, 1)
    assert.equal(gate.enter(ENDLESS, 10), 'open')
    assert.equal(gate.isCalm, false)
    const { code, executed, reason, retryAfterMs = 0 } = gate.refusalOf('open', 10)
    assert.deepEqual([code, executed, reason], ['unavailable', 'no', 'breaker_open'])
    assert.ok(retryAfterMs > 500 && retryAfterMs <= 1_200)
    assert.equal(typeof gate.enter(ENDLESS, 10 + retryAfterMs), 'number')
    assert.equal(gate.enter(ENDLESS, 10 + retryAfterMs), 'open')
    gate.configure({ ...defaultRules, breaker: false })
    assert.equal(gate.isCalm, true)
    for (let call = 0; call < 50; call++) gate.leave(gate.enter(ENDLESS, 20) as number, 'failure', 20)
    assert.equal(typeof gate.enter(ENDLESS, 20), 'number')
  })
})
