/**
 * Event logs for tests of what stands on them.
 *
 * @module
 */
import { systemClock } from '@flotilla/core/clock'
import { migrate } from '@flotilla/core/migrate'
import { testCall } from '@flotilla/core/test-call'
import { openTestDatabase } from '@flotilla/core/test-database'
import { PostgresLog } from '../event-log/postgres-log.ts'
import { eventLogService } from '../event-log/service.ts'

/** Opens instances of one log, which end with the test. */
export async function openLogs(t: {
  after(cleanUp: () => Promise<void>): void
}): Promise<() => Promise<PostgresLog>> {
  const test = await openTestDatabase(t)
  await migrate(test.url, [{ name: 'events', folder: eventLogService.database?.migrations as URL }])
  let opened = 0
  return async () => {
    const database = test.open({ poolMax: 4 })
    const log = await PostgresLog.open({
      use: (work) => work(database.session(testCall())),
      listen: (channel, onNotify) => database.listen(channel, onNotify),
      clock: systemClock,
      log: { warn() {} },
      instance: `log-${++opened}`,
    })
    t.after(async () => log.close())
    return log
  }
}
