import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Alert, type AlertRule, afterAbsence, afterLook, alertOf, RESOLVED_KEPT_MS } from './alert.ts'

const START_MS = 1_700_000_000_000
const rule: AlertRule = { name: 'slow', severity: 'warning', forMs: 60_000, keepFiringMs: 30_000 }
const finding = { labels: { operation: 'a.b' }, value: 2, summary: 'slow' }

/** Looks, each some time after the one before. */
const looks = fc.array(fc.record({ pauseMs: fc.integer({ min: 1, max: 50_000 }), holds: fc.boolean() }), {
  maxLength: 60,
})
const rules = fc.record({
  forMs: fc.integer({ min: 0, max: 120_000 }),
  keepFiringMs: fc.integer({ min: 0, max: 120_000 }),
})

function look(alert: Alert | undefined, its: AlertRule, holds: boolean, nowMs: number): Alert | undefined {
  return afterLook(alert, holds ? alertOf(its, finding, nowMs) : undefined, its, nowMs)
}

function run(its: AlertRule, steps: readonly (readonly [pauseMs: number, holds: boolean])[]): string[] {
  let alert: Alert | undefined
  let nowMs = START_MS
  return steps.map(([pauseMs, holds]) => {
    nowMs += pauseMs
    alert = look(alert, its, holds, nowMs)
    return alert?.state ?? 'nothing'
  })
}

describe('afterLook', () => {
  it('leads from pending over firing to resolved, and forgets it after a day', () => {
    const steps: [number, boolean][] = [
      [0, true],
      [59_999, true],
      [1, true],
      [29_999, false],
      [1, false],
      [RESOLVED_KEPT_MS - 1, false],
      [1, false],
    ]
    const states = ['pending', 'pending', 'firing', 'firing', 'resolved', 'resolved', 'nothing']
    assert.deepEqual(run(rule, steps), states)
  })

  it('forgets what was pending only, and takes what comes back within keepFiringMs for the same', () => {
    assert.deepEqual(
      run(rule, [
        [0, true],
        [50_000, false],
        [10_000, true],
        [60_000, true],
        [20_000, false],
        [9_000, true],
        [29_000, false],
      ]),
      ['pending', 'nothing', 'pending', 'firing', 'firing', 'firing', 'firing'],
    )
  })

  it('is resolved as before when it holds again for a moment', () => {
    let alert = look(undefined, { ...rule, forMs: 0 }, true, START_MS)
    alert = look(alert, rule, false, START_MS + 40_000)
    const resolved = alert
    assert.equal(resolved?.state, 'resolved')
    alert = look(alert, rule, true, START_MS + 50_000)
    assert.equal(alert?.state, 'pending')
    alert = look(alert, rule, false, START_MS + 60_000)
    assert.deepEqual(
      [alert?.state, alert?.sinceMs, alert?.untilMs],
      ['resolved', START_MS, START_MS + 40_000],
    )
  })

  it('fires only after it held at every look for forMs, and always then', () => {
    fc.assert(
      fc.property(rules, looks, (times, steps) => {
        const its = { ...rule, ...times }
        let alert: Alert | undefined
        let nowMs = START_MS
        let holdingSinceMs: number | undefined
        for (const { pauseMs, holds } of steps) {
          nowMs += pauseMs
          const wasFiring = alert?.state === 'firing'
          // An alert that goes on firing over a gap has its own clock; holding begins anew after it.
          holdingSinceMs = holds ? (holdingSinceMs ?? nowMs) : undefined
          alert = look(alert, its, holds, nowMs)
          if (wasFiring) continue
          const isLongEnough = holdingSinceMs !== undefined && nowMs - holdingSinceMs >= its.forMs
          assert.equal(alert?.state === 'firing', isLongEnough)
        }
      }),
    )
  })

  it('is over only when it was not seen to hold for keepFiringMs, and always then', () => {
    fc.assert(
      fc.property(rules, looks, (times, steps) => {
        const its = { ...rule, ...times }
        let alert = look(undefined, { ...its, forMs: 0 }, true, START_MS)
        let nowMs = START_MS
        let heldMs = START_MS
        for (const { pauseMs, holds } of steps) {
          nowMs += pauseMs
          if (holds) heldMs = nowMs
          const wasFiring = alert?.state === 'firing'
          alert = look(alert, its, holds, nowMs)
          if (wasFiring)
            assert.equal(alert?.state === 'resolved', !holds && nowMs - heldMs >= its.keepFiringMs)
        }
      }),
    )
  })
})

describe('afterAbsence', () => {
  it('makes a time in which nobody looked as if it had not been', () => {
    fc.assert(
      fc.property(
        rules,
        looks,
        looks,
        fc.integer({ min: 0, max: RESOLVED_KEPT_MS - 10_000_000 }),
        (times, before, after, awayMs) => {
          const its = { ...rule, ...times }
          const states = (gapMs: number): string[] => {
            let alert: Alert | undefined
            let nowMs = START_MS
            const seen: string[] = []
            for (const { pauseMs, holds } of before) {
              nowMs += pauseMs
              alert = look(alert, its, holds, nowMs)
            }
            if (gapMs > 0 && alert !== undefined) alert = afterAbsence(alert, nowMs, nowMs + gapMs)
            nowMs += gapMs
            for (const { pauseMs, holds } of after) {
              nowMs += pauseMs
              alert = look(alert, its, holds, nowMs)
              seen.push(alert?.state ?? 'nothing')
            }
            return seen
          }
          assert.deepEqual(states(awayMs), states(0))
        },
      ),
    )
  })
})

describe('alertOf', () => {
  it('has the same fingerprint for the same rule and labels, in whatever order', () => {
    const one = alertOf(rule, { ...finding, labels: { a: '1', b: '2' } }, 1)
    const same = alertOf(rule, { ...finding, labels: { b: '2', a: '1' }, value: 9 }, 2)
    const other = alertOf({ ...rule, name: 'other' }, { ...finding, labels: { a: '1', b: '2' } }, 1)
    assert.equal(one.fingerprint, same.fingerprint)
    assert.notEqual(one.fingerprint, other.fingerprint)
    assert.match(one.fingerprint, /^[0-9a-f]{16}$/)
  })
})
