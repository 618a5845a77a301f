import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { directChannel } from './direct.ts'
import { call, Probe, probeContract, requestOf } from './wires.test.ts'

const { echo, follow } = probeContract.operations

describe('directChannel', () => {
  it("'clone' shares nothing, as a socket", async () => {
    const probe = new Probe()
    const input = { list: [1], absent: undefined }
    const { output } = await call(directChannel(probe, 'clone'), requestOf(echo, input))
    assert.deepEqual(output, { list: [1] })
    assert.notEqual(probe.requests[0]?.input, input)
    assert.notEqual(output, probe.requests[0]?.input)
  })

  it("'freeze' makes a write to what is shared throw, all the way down", async () => {
    const { output } = await call(directChannel(new Probe(), 'freeze'), requestOf(echo, { list: [{ a: 1 }] }))
    const [first] = (output as { list: { a: number }[] }).list
    assert.throws(() => {
      ;(first as { a: number }).a = 2
    }, TypeError)
    for await (const item of directChannel(new Probe(), 'freeze').stream(requestOf(follow, { items: 1 }))) {
      assert.ok(Object.isFrozen(item))
    }
  })

  it("'none' passes the very values", async () => {
    const input = {}
    assert.equal((await call(directChannel(new Probe(), 'none'), requestOf(echo, input))).output, input)
  })
})
