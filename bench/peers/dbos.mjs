/**
 * DBOS on the same PostgreSQL: workflows of two steps that do nothing outside, so many at a time. As it comes, no tracing, log at errors.
 *
 * @module
 */
import { DBOS } from '@dbos-inc/dbos-sdk'

const workflow = DBOS.registerWorkflow(
  async (amount) => {
    const reserved = await DBOS.runStep(async () => `yes, ${amount}`, { name: 'reserve' })
    await DBOS.runStep(async () => undefined, { name: 'confirm' })
    return reserved
  },
  { name: 'order' },
)

const WARM = 200

/** Runs so many workflows, after some that warm up. */
export async function measure({ url, count, inFlight }) {
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: url,
    systemDatabasePoolSize: 20,
    logLevel: 'error',
    runAdminServer: false,
  })
  await DBOS.launch()
  const run = async (total) => {
    let begun = 0
    const startMs = performance.now()
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        while (begun++ < total) await workflow(1)
      }),
    )
    return (total / (performance.now() - startMs)) * 1_000
  }
  await run(WARM)
  const perSec = await run(count)
  await DBOS.shutdown()
  return { perSec, events: WARM + count }
}
