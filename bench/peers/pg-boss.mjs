/**
 * pg-boss 10 on the same PostgreSQL: publishers send one job each, four workers fetch up to a thousand at a time, look for more twice a
 * second (its shortest), and write the effects of a fetch in one statement. Neither outbox nor inbox: a job is sent by itself, and its
 * effect is not in one transaction with its end. Maintenance and schedules are off.
 *
 * @module
 */
import pg from 'pg'
import PgBoss from 'pg-boss'

const QUEUE = 'noted'
const WORKERS = 4
const WARM_S = 1
const note = 'x'.repeat(300)

/** Publishers as fast as they can for so long, until all was handled. */
export async function measure({ url, publishers, seconds }) {
  const boss = new PgBoss({ connectionString: url, max: 20, schedule: false, supervise: false })
  boss.on('error', (error) => console.error(error))
  const pool = new pg.Pool({ connectionString: url, max: WORKERS })
  await boss.start()
  await boss.createQueue(QUEUE)
  await pool.query('create table if not exists effect (number integer not null)')
  let [published, handled] = [0, 0]
  for (let worker = 0; worker < WORKERS; worker++)
    await boss.work(QUEUE, { batchSize: 1_000, pollingIntervalSeconds: 0.5 }, async (jobs) => {
      const numbers = jobs.map(({ data }) => data.number)
      await pool.query('insert into effect select unnest($1::int[])', [numbers])
      handled += jobs.length
    })
  const flood = async (forS) => {
    const [startMs, before] = [performance.now(), handled]
    const endMs = startMs + forS * 1_000
    await Promise.all(
      Array.from({ length: publishers }, async () => {
        while (performance.now() < endMs)
          await boss.send(QUEUE, { key: `key-${published % 500}`, number: published++, amount: 1, note })
      }),
    )
    while (handled < published) await new Promise((resolve) => setTimeout(resolve, 5))
    return ((handled - before) / (performance.now() - startMs)) * 1_000
  }
  await flood(WARM_S)
  const perSec = await flood(seconds)
  await boss.stop({ graceful: false })
  await pool.end()
  return { perSec, events: handled }
}
