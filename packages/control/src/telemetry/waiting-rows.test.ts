import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { RowCounts } from './row-counts.ts'
import { WaitingRows } from './waiting-rows.ts'

describe('WaitingRows', () => {
  it('keeps the newest within its bounds, and counts what it dropped', () => {
    const pushes = fc.array(
      fc.oneof({ weight: 20, arbitrary: fc.nat(50) }, { weight: 1, arbitrary: fc.constant('take') }),
      {
        maxLength: 60,
        size: 'max',
      },
    )
    fc.assert(
      fc.property(
        pushes,
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 50, max: 200 }),
        (all, rowsMax, bytesMax) => {
          const waiting = new WaitingRows<{ bytes: number; index: number }>({ rowsMax, bytesMax })
          let model: { bytes: number; index: number }[] = []
          let dropped = 0
          for (const [index, one] of all.entries()) {
            if (typeof one === 'string') {
              assert.deepEqual(waiting.take(), model)
              model = []
            } else {
              waiting.push({ bytes: one, index })
              model.push({ bytes: one, index })
              while (model.length > rowsMax || model.reduce((sum, { bytes }) => sum + bytes, 0) > bytesMax) {
                model.shift()
                dropped++
              }
            }
            assert.deepEqual([waiting.count, waiting.dropped], [model.length, dropped])
          }
          assert.deepEqual(waiting.take(), model)
        },
      ),
    )
  })
})

describe('RowCounts', () => {
  it('cuts a time into slices, newest first, that hold every row of it once, and not many more than asked for', () => {
    const anyTimeUs = fc.nat(600_000_000)
    fc.assert(
      fc.property(
        fc.array(anyTimeUs, { maxLength: 60, size: 'max' }),
        anyTimeUs,
        anyTimeUs,
        fc.integer({ min: 1, max: 20 }),
        (times, one, other, rowsMax) => {
          const counts = new RowCounts()
          for (const timeUs of times) counts.add(timeUs, 1)
          const [fromUs, toUs] = [Math.min(one, other), Math.max(one, other) + 1]
          const slices = [...counts.slices({ fromUs, toUs }, rowsMax)]
          for (const timeUs of times) {
            const holding = slices.filter((slice) => slice.fromUs <= timeUs && timeUs < slice.toUs)
            assert.equal(holding.length, timeUs >= fromUs && timeUs < toUs ? 1 : 0)
          }
          for (const [index, slice] of slices.entries()) {
            assert.ok(slice.fromUs < slice.toUs)
            assert.ok(index === 0 || slice.toUs === slices[index - 1]?.fromUs)
            const within = times.filter(
              (timeUs) => timeUs >= slice.fromUs + 15_000_000 && timeUs < slice.toUs,
            )
            assert.ok(within.length < rowsMax)
          }
        },
      ),
    )
  })

  it('makes a time longer at both ends, up to so many rows or so long', () => {
    const anyTimeUs = fc.nat(600_000_000)
    fc.assert(
      fc.property(
        fc.array(anyTimeUs, { maxLength: 60, size: 'max' }),
        anyTimeUs,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 15_000_000, max: 200_000_000 }),
        (times, atUs, rowsMax, usMax) => {
          const counts = new RowCounts()
          for (const timeUs of times) counts.add(timeUs, 1)
          const { fromUs, toUs } = counts.around({ fromUs: atUs, toUs: atUs + 1 }, rowsMax, usMax)
          const quarterUs = 15_000_000
          const ends = [
            [atUs - fromUs, (us: number) => us >= fromUs && us < atUs - (atUs % quarterUs)],
            [toUs - atUs, (us: number) => us < toUs && us >= atUs - (atUs % quarterUs) + quarterUs],
          ] as const
          for (const [lengthUs, isMore] of ends) {
            const more = times.filter(isMore).map((us) => Math.abs(us - atUs))
            assert.ok(lengthUs >= quarterUs && lengthUs <= usMax + 2 * quarterUs)
            assert.ok(more.length >= rowsMax || lengthUs >= usMax)
            // Without the last quarter there would be too few.
            assert.ok(more.filter((us) => us < lengthUs - quarterUs).length < rowsMax)
          }
        },
      ),
    )
  })

  it('forgets what is before, and keeps what is after', () => {
    const counts = new RowCounts()
    for (const timeUs of [0, 20e6, 40e6]) counts.add(timeUs, 1)
    counts.forgetBefore(20e6)
    assert.deepEqual(
      [...counts.slices({ fromUs: 0, toUs: 60e6 }, 1)],
      [
        { fromUs: 30e6, toUs: 60e6 },
        { fromUs: 15e6, toUs: 30e6 },
      ],
    )
  })
})
