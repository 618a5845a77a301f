/**
 * RabbitMQ, a quorum queue of one member: publishers send one persistent message each and wait for its confirmation, which comes when
 * the message is on the disk. The consumer has up to a thousand messages at once, writes the effects of those that have come in one
 * statement, and acknowledges them when that is committed. Neither outbox nor inbox: a message is sent by itself, and one that comes
 * again has its effect again.
 *
 * @module
 */
import pg from 'pg'
import { Connection } from 'rabbitmq-client'

const QUEUE = 'noted'
const PREFETCH = 1_000
const WARM_S = 1
const note = 'x'.repeat(300)

/** Publishers as fast as they can for so long, until all was handled. */
export async function measure({ url, broker, publishers, seconds }) {
  const rabbit = new Connection(broker)
  rabbit.on('error', (error) => console.error(error))
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  await pool.query('create table if not exists effect (number integer not null)')
  let [published, handled] = [0, 0]
  const write = inBatches(async (numbers) => {
    await pool.query('insert into effect select unnest($1::int[])', [numbers])
    handled += numbers.length
  })
  const queueOptions = { queue: QUEUE, durable: true, arguments: { 'x-queue-type': 'quorum' } }
  const consumer = rabbit.createConsumer(
    { queue: QUEUE, queueOptions, qos: { prefetchCount: PREFETCH }, concurrency: PREFETCH },
    ({ body }) => write(body.number),
  )
  consumer.on('error', (error) => console.error(error))
  await new Promise((resolve) => consumer.once('ready', resolve))
  const publisher = rabbit.createPublisher({ confirm: true })
  const flood = async (forS) => {
    const [startMs, before] = [performance.now(), handled]
    const endMs = startMs + forS * 1_000
    await Promise.all(
      Array.from({ length: publishers }, async () => {
        while (performance.now() < endMs) {
          const number = published++
          await publisher.send(
            { routingKey: QUEUE, durable: true },
            { key: `key-${number % 500}`, number, amount: 1, note },
          )
        }
      }),
    )
    while (handled < published) await new Promise((resolve) => setTimeout(resolve, 5))
    return ((handled - before) / (performance.now() - startMs)) * 1_000
  }
  await flood(WARM_S)
  const perSec = await flood(seconds)
  await publisher.close()
  await consumer.close()
  await rabbit.close()
  await pool.end()
  return { perSec, events: handled }
}

/** Takes one at a time and writes all that have come meanwhile together; resolves when its own is written. */
function inBatches(write) {
  let waiting = []
  let isWriting = false
  const next = async () => {
    if (isWriting) return
    isWriting = true
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        await write(batch.map(({ number }) => number))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    isWriting = false
  }
  return (number) =>
    new Promise((resolve, reject) => {
      waiting.push({ number, resolve, reject })
      void next()
    })
}
