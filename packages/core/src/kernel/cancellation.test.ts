import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Cancellation } from './cancellation.ts'
import { FlotillaError } from './error.ts'

const gaveUp = new FlotillaError('canceled', 'The caller gave up.')
const tooLate = new FlotillaError('deadline_exceeded', 'Too late.')

describe('Cancellation', () => {
  it('Cancellation stops once, for the first reason', () => {
    const cancellation = new Cancellation()
    const heard: FlotillaError[] = []
    cancellation.listen({ canceled: (error) => heard.push(error) })
    assert.equal(cancellation.error, undefined)
    cancellation.throwIfCanceled()
    cancellation.cancel(gaveUp)
    cancellation.cancel(tooLate)
    assert.equal(cancellation.error, gaveUp)
    assert.deepEqual(heard, [gaveUp])
    assert.throws(
      () => cancellation.throwIfCanceled(),
      (error) => error === gaveUp,
    )
  })

  it('Cancellation tells exactly those who still listen', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean()), (stays) => {
        const cancellation = new Cancellation()
        const heard: number[] = []
        const listeners = stays.map((_, index) => ({ canceled: () => heard.push(index) }))
        for (const listener of listeners) cancellation.listen(listener)
        for (const [index, listener] of listeners.entries()) {
          if (stays[index]) continue
          cancellation.unlisten(listener)
          cancellation.unlisten(listener)
        }
        cancellation.cancel(gaveUp)
        assert.deepEqual(
          heard.toSorted((a, b) => a - b),
          [...stays.keys()].filter((index) => stays[index]),
        )
      }),
    )
  })

  it('Cancellation tells a late listener at once', () => {
    const cancellation = new Cancellation()
    cancellation.cancel(gaveUp)
    const heard: FlotillaError[] = []
    cancellation.listen({ canceled: (error) => heard.push(error) })
    assert.deepEqual(heard, [gaveUp])
  })

  it('Cancellation.signal aborts with the error, asked for before or after, and is one signal', () => {
    const before = new Cancellation()
    const { signal } = before
    assert.equal(signal.aborted, false)
    before.cancel(gaveUp)
    assert.equal(signal.reason, gaveUp)
    assert.equal(before.signal, signal)

    const after = new Cancellation()
    after.cancel(tooLate)
    assert.equal(after.signal.reason, tooLate)
  })

  it('Cancellation may be listened to by many', async () => {
    const { signal } = new Cancellation()
    const warnings: Error[] = []
    const hear = (warning: Error): void => void warnings.push(warning)
    process.on('warning', hear)
    for (let count = 0; count < 20; count++) signal.addEventListener('abort', () => {})
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', hear)
    assert.deepEqual(warnings, [])
  })
})
