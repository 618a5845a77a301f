import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Clock, Timer } from './clock.ts'
import { Timed, TimerWheel } from './timer-wheel.ts'
import { VirtualClock } from './virtual-clock.ts'

const TICK_MS = 10
/** A tick, and a millisecond of the platform's timers. */
const LATE_MS = TICK_MS + 1
const TURN_MS = 512 * TICK_MS

class Entry extends Timed {
  readonly #onExpire: () => void

  constructor(onExpire: () => void) {
    super()
    this.#onExpire = onExpire
  }

  expire(): void {
    this.#onExpire()
  }
}

/** What an entry should do, kept the naive way: a deadline each, and when it was set. */
interface Expected {
  readonly dueMs: number
  readonly addedMs: number
}

const ENTRIES = 6
const anyMs = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -200, max: 1_000 }).map((tenths) => tenths / 10) },
  { weight: 1, arbitrary: fc.integer({ min: TURN_MS - 50, max: 2 * TURN_MS + 50 }) },
)
const anyStep = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), which: fc.nat(ENTRIES - 1), inMs: anyMs }),
  fc.record({ kind: fc.constant('remove' as const), which: fc.nat(ENTRIES - 1) }),
  fc.record({ kind: fc.constant('pass' as const), ms: anyMs.map(Math.abs) }),
)

/** Time passes at once, and what fell due meanwhile runs after. */
class StallingClock implements Pick<Clock, 'monotonicMs' | 'schedule'> {
  #nowMs = 0
  #timers: { readonly dueMs: number; readonly action: () => void }[] = []

  monotonicMs(): number {
    return this.#nowMs
  }

  schedule(delayMs: number, action: () => void): Timer {
    const timer = { dueMs: this.#nowMs + delayMs, action }
    this.#timers.push(timer)
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((one) => one !== timer)
      },
    }
  }

  stall(ms: number): void {
    this.#nowMs += ms
    const due = this.#timers.filter(({ dueMs }) => dueMs <= this.#nowMs)
    this.#timers = this.#timers.filter((timer) => !due.includes(timer))
    for (const { action } of due) action()
  }
}

describe('TimerWheel', () => {
  it('TimerWheel fires everything once, at or after its time, at most a tick late, and nothing withdrawn', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(99),
        fc.array(anyStep, { maxLength: 25, size: 'max' }),
        async (startTenths, steps) => {
          const clock = new VirtualClock()
          await clock.advance(startTenths / 10)
          const wheel = new TimerWheel(clock)
          const waiting = new Map<number, Expected>()
          const entries = Array.from({ length: ENTRIES }, (_, which) => {
            return new Entry(() => {
              const expected = waiting.get(which)
              assert.ok(expected, 'fired without waiting')
              waiting.delete(which)
              const nowMs = clock.monotonicMs()
              assert.ok(nowMs >= expected.dueMs, `${expected.dueMs} fired early, at ${nowMs}`)
              const latestMs = Math.max(expected.dueMs, expected.addedMs) + LATE_MS
              assert.ok(nowMs <= latestMs, `${expected.dueMs} fired late, at ${nowMs}`)
            })
          })
          for (const step of steps) {
            if (step.kind === 'pass') await clock.advance(step.ms)
            else if (step.kind === 'add') {
              const addedMs = clock.monotonicMs()
              const dueMs = Math.max(0, addedMs + step.inMs)
              wheel.add(entries[step.which] as Entry, dueMs, addedMs)
              waiting.set(step.which, { dueMs, addedMs })
            } else {
              wheel.remove(entries[step.which] as Entry)
              waiting.delete(step.which)
            }
            assert.equal(wheel.size, waiting.size)
            for (const { dueMs, addedMs } of waiting.values()) {
              assert.ok(Math.max(dueMs, addedMs) + LATE_MS >= clock.monotonicMs(), `${dueMs} was missed`)
            }
          }
        },
      ),
    )
  })

  it('TimerWheel finds everything that fell due while the process stood still, however long', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(TURN_MS), { maxLength: 10 }),
        fc.nat(3 * TURN_MS),
        async (delays, stallMs) => {
          const clock = new StallingClock()
          const wheel = new TimerWheel(clock)
          const fired: number[] = []
          for (const delayMs of delays) wheel.add(new Entry(() => fired.push(delayMs)), delayMs, 0)
          clock.stall(stallMs)
          clock.stall(TICK_MS)
          const due = delays.filter((delayMs) => delayMs <= stallMs)
          assert.ok(due.every((delayMs) => fired.includes(delayMs)))
          assert.ok(fired.every((delayMs) => delayMs <= stallMs + TICK_MS))
        },
      ),
    )
  })

  it('TimerWheel lets one that expires withdraw or put off another in the same slot', async () => {
    const clock = new VirtualClock()
    const wheel = new TimerWheel(clock)
    const fired: string[] = []
    const withdrawn = new Entry(() => fired.push('withdrawn'))
    const putOff = new Entry(() => fired.push(`put off to ${clock.monotonicMs()}`))
    const first = new Entry(() => {
      fired.push('first')
      wheel.remove(withdrawn)
      wheel.add(putOff, 20 + TURN_MS, clock.monotonicMs())
    })
    wheel.add(withdrawn, 20, 0)
    wheel.add(putOff, 20, 0)
    wheel.add(first, 20, 0)
    await clock.advance(3 * TURN_MS)
    assert.deepEqual(fired, ['first', `put off to ${20 + TURN_MS}`])
  })

  it('TimerWheel lets one that expires start again', async () => {
    const clock = new VirtualClock()
    const wheel = new TimerWheel(clock)
    const firedMs: number[] = []
    const entry: Entry = new Entry(() => {
      firedMs.push(clock.monotonicMs())
      if (firedMs.length < 3) wheel.add(entry, clock.monotonicMs() + 100, clock.monotonicMs())
    })
    wheel.add(entry, 100, 0)
    await clock.advance(1_000)
    assert.deepEqual(firedMs, [100, 200, 300])
  })

  it('TimerWheel keeps no timer running when nothing waits', async () => {
    const clock = new VirtualClock()
    const wheel = new TimerWheel(clock)
    const entry = new Entry(() => {})
    assert.equal(clock.pending, 0)
    wheel.add(entry, 3_000, 0)
    assert.equal(clock.pending, 1)
    wheel.remove(entry)
    wheel.remove(entry)
    assert.equal(clock.pending, 0)
    assert.equal(wheel.size, 0)
    wheel.add(entry, 3_000, 0)
    await clock.advance(3_000 + LATE_MS)
    assert.equal(clock.pending, 0)
  })

  it('TimerWheel sleeps until something may be due, whatever else comes and goes', async () => {
    const virtual = new VirtualClock()
    let wakeUps = 0
    const clock: Pick<Clock, 'monotonicMs' | 'schedule'> = {
      monotonicMs: () => virtual.monotonicMs(),
      schedule: (delayMs, action) =>
        virtual.schedule(delayMs, () => {
          wakeUps++
          action()
        }),
    }
    const wheel = new TimerWheel(clock as Clock)
    const call = new Entry(() => {})
    wheel.add(new Entry(() => {}), 60_000, 0)
    for (let calls = 0; calls < 100; calls++) {
      const nowMs = virtual.monotonicMs()
      wheel.add(call, nowMs + 3_000, nowMs)
      await virtual.advance(1)
      wheel.remove(call)
    }
    await virtual.advance(60_000 + LATE_MS)
    assert.equal(wheel.size, 0)
    // One for each turn that the far one has to wait, and one for the calls.
    assert.ok(wakeUps <= 60_000 / TURN_MS + 3, `${wakeUps}`)
  })
})
