/**
 * One side of a comparison, in a process of its own: answers, or calls and measures.
 *
 * @module
 */
import { measure, measureTight } from './measure.mjs'

const [, , role, peer] = process.argv
const { serve, connect, local } = await import(`./peers/${peer}.mjs`)

if (role === 'server') {
  const address = await serve()
  let before = process.cpuUsage()
  process.on('message', () => {
    const { user, system } = process.cpuUsage(before)
    before = process.cpuUsage()
    process.send({ cpuUs: user + system })
  })
  process.send({ address })
} else if (role === 'client') {
  let call
  process.on('message', async ({ address, inFlight, durationMs }) => {
    call ??= await connect(address)
    process.send(await measure(call, inFlight, durationMs))
  })
} else {
  process.once('message', async ({ durationMs }) => {
    await local(async (call) => {
      await measureTight(call, Math.min(1_000, durationMs))
      process.send(await measureTight(call, durationMs))
    })
    process.exit(0)
  })
}
process.on('disconnect', () => process.exit(0))
