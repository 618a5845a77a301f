import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Alert } from './alert.ts'
import { AlertBook } from './alert-book.ts'
import { severities } from './rule.ts'
import { afterTelling, type Known, tellingsFor } from './telling.ts'

const START_MS = 1_700_000_000_000
const nobody: Known = { sinceMs: START_MS, alerts: {}, groups: {} }
const wish = { severities, repeatMs: 4 * 3_600_000 }

const alert = (name: string, state: Alert['state'], sinceMs: number, rest: Partial<Alert> = {}): Alert => ({
  fingerprint: name,
  rule: 'slow',
  severity: 'warning',
  labels: { name },
  summary: name,
  value: 1,
  state,
  sinceMs,
  heldMs: sinceMs,
  ...rest,
})

/** Tells everything that is due, and what was told. */
function tell(alerts: readonly Alert[], before: Known, nowMs: number): { told: string[][]; known: Known } {
  const told: string[][] = []
  let known = before
  for (const telling of tellingsFor(alerts, before, wish, nowMs)) {
    told.push(telling.alerts.map(({ fingerprint, state }) => `${fingerprint} ${state}`))
    known = afterTelling(known, telling, alerts, nowMs)
  }
  return { told, known }
}

describe('tellingsFor', () => {
  it('tells the alerts of a rule together, at once, then once a minute, and again after the repeat time', () => {
    const [a, b] = [alert('a', 'firing', START_MS), alert('b', 'firing', START_MS + 1)]
    const first = tell([a], nobody, START_MS)
    assert.deepEqual(first.told, [['a firing']])
    assert.deepEqual(tell([a, b], first.known, START_MS + 59_999).told, [])
    const second = tell([a, b], first.known, START_MS + 60_000)
    assert.deepEqual(second.told, [['b firing', 'a firing']])
    assert.deepEqual(tell([a, b], second.known, START_MS + 60_000 + wish.repeatMs - 1).told, [])
    assert.deepEqual(tell([a, b], second.known, START_MS + 60_000 + wish.repeatMs).told, [
      ['a firing', 'b firing'],
    ])
  })

  it('says nothing of what is pending, of other severities, or was over before there was the receiver', () => {
    const alerts = [
      alert('pending', 'pending', START_MS),
      alert('info', 'firing', START_MS, { severity: 'info' }),
      alert('old', 'resolved', START_MS - 10, { untilMs: START_MS - 5 }),
    ]
    assert.deepEqual(tellingsFor(alerts, nobody, { ...wish, severities: ['critical'] }, START_MS), [])
  })

  it('tells of what is over also who never heard that it fired, and of what is pending again', () => {
    const over = alert('a', 'resolved', START_MS, { untilMs: START_MS + 9 })
    assert.deepEqual(tell([over], nobody, START_MS + 10).told, [['a resolved']])
    const before = { sinceMs: START_MS, untilMs: START_MS + 9 }
    const again = alert('a', 'pending', START_MS + 20, { before })
    assert.deepEqual(tell([again], nobody, START_MS + 30).told, [['a resolved']])
  })

  it('leaves what is too much for one message to the next', () => {
    const alerts = Array.from({ length: 130 }, (_, index) => alert(`a${index}`, 'firing', START_MS))
    const [first] = tellingsFor(alerts, nobody, wish, START_MS)
    assert.deepEqual([first?.alerts.length, first?.left], [100, 30])
    const known = afterTelling(nobody, first ?? assert.fail(), alerts, START_MS)
    const [second] = tellingsFor(alerts, known, wish, START_MS + 60_000)
    assert.ok(alerts.slice(100).every((one) => second?.alerts.includes(one)))
  })

  it('ends with a receiver that knows how things are, whatever was lost', () => {
    const fate = fc.constantFrom('taken' as const, 'message lost' as const, 'answer lost' as const)
    const step = fc.record({ holding: fc.subarray(['a', 'b', 'c']), fate })
    const calm = Array.from({ length: 5 }, () => ({ holding: [], fate: 'taken' as const }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const people = new People()
        for (const one of [...steps, ...calm]) people.look(one.holding, one.fate)
        const { alerts, believed } = people
        assert.ok(alerts.every(({ fingerprint, state }) => believed.get(fingerprint) === state))
        assert.ok([...believed.values()].every((state) => state === 'resolved'))
        assert.ok(people.look([], 'taken') === 0)
      }),
    )
  })
})

/** A receiver, and what it believes by what it heard; a look each half minute. */
class People {
  readonly #book = new AlertBook()
  readonly believed = new Map<string, string>()
  #known = nobody
  #nowMs = START_MS

  get alerts(): readonly Alert[] {
    return this.#book.all
  }

  /** How many messages were sent. */
  look(holding: readonly string[], fate: 'taken' | 'message lost' | 'answer lost'): number {
    const rule = { name: 'slow', severity: 'warning' as const, forMs: 30_000, keepFiringMs: 30_000 }
    this.#nowMs += 30_000
    const findings = holding.map((name) => ({ labels: { name }, value: 1, summary: name }))
    this.#book.looked(rule, findings, this.#nowMs)
    const tellings = tellingsFor(this.alerts, this.#known, wish, this.#nowMs)
    for (const telling of tellings) {
      if (fate === 'message lost') continue
      for (const { fingerprint, state } of telling.alerts) this.believed.set(fingerprint, state)
      if (fate === 'taken') this.#known = afterTelling(this.#known, telling, this.alerts, this.#nowMs)
    }
    return tellings.length
  }
}
