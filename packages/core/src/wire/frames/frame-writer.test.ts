import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { kinds } from './format.ts'
import { FrameWriter } from './frame-writer.ts'

/** A writer, and the sizes of the writes that reached its socket. */
function measured(): { writer: FrameWriter; writes: number[] } {
  const writes: number[] = []
  const socket = Object.assign(new Socket(), {
    write(chunk: Buffer, taken: () => void): boolean {
      writes.push(chunk.length)
      taken()
      return true
    },
  })
  return { writer: new FrameWriter(socket), writes }
}

const nextTick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve))

describe('FrameWriter', () => {
  it('gathers the frames of one tick into one write', async () => {
    const { writer, writes } = measured()
    for (let call = 0; call < 30; call++) writer.send(kinds.cancel, call)
    assert.deepEqual(writes, [])
    await nextTick()
    assert.deepEqual(writes, [30 * 12])
  })

  it('lets much of it go before the tick is over, so that the other side can begin', async () => {
    const { writer, writes } = measured()
    for (let call = 0; call < 1_000; call++) writer.send(kinds.cancel, call)
    assert.ok(writes.length >= 2, `${writes.length} writes before the tick was over`)
    await nextTick()
    assert.equal(
      writes.reduce((sum, bytes) => sum + bytes, 0),
      1_000 * 12,
    )
  })
})
