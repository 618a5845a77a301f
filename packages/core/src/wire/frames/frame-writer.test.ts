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

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('FrameWriter', () => {
  it('gathers the frames of one turn of the event loop into one write', async () => {
    const { writer, writes } = measured()
    for (let call = 0; call < 15; call++) writer.send(kinds.cancel, call)
    // As another socket's client would.
    process.nextTick(() => {
      for (let call = 15; call < 30; call++) writer.send(kinds.cancel, call)
    })
    assert.deepEqual(writes, [])
    await nextTurn()
    assert.deepEqual(writes, [30 * 12])
  })

  it('lets much of it go before the turn is over, so that the other side can begin', async () => {
    const { writer, writes } = measured()
    for (let call = 0; call < 1_000; call++) writer.send(kinds.cancel, call)
    assert.ok(writes.length >= 2, `${writes.length} writes before the turn was over`)
    await nextTurn()
    assert.equal(
      writes.reduce((sum, bytes) => sum + bytes, 0),
      1_000 * 12,
    )
  })
})
