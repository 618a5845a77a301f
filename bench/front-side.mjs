/**
 * A JavaScript front, or what it needs behind it, in a process of its own: opened as the first message says.
 *
 * @module
 */
const [, , name, role] = process.argv
const front = await import(`./fronts/${name}.mjs`)

process.once('message', async (options) => {
  await front[role](options)
  process.send({ isReady: true })
})
process.on('disconnect', () => process.exit(0))
