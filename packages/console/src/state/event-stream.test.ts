import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { EventReader } from './event-stream.ts'

describe('EventReader', () => {
  it('reads the same events however the text is cut', () => {
    const text =
      'data: {"a":1}\n\n: still here\n\nevent: error\ndata: {"code":"x"}\n\ndata: a\ndata: b\n\ndata: not yet'
    const whole = new EventReader().read(text)
    assert.deepEqual(whole, [
      { name: 'message', data: '{"a":1}' },
      { name: 'error', data: '{"code":"x"}' },
      { name: 'message', data: 'a\nb' },
    ])
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), text.length]
        const reader = new EventReader()
        const events = places.slice(1).flatMap((to, index) => reader.read(text.slice(places[index], to)))
        assert.deepEqual(events, whole)
      }),
    )
  })
})
