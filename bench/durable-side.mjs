/**
 * A peer that keeps what it does in a database, in a process of its own: measures what the first message says, and tells its CPU time.
 *
 * @module
 */
const { measure } = await import(`./peers/${process.argv[2]}.mjs`)

process.once('message', async (options) => {
  const result = await measure(options)
  const { user, system } = process.cpuUsage()
  process.send({ result, cpuUs: user + system })
})
process.on('disconnect', () => process.exit(0))
