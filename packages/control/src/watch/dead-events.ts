/**
 * How many events wait for people, in all services together: as a metric, for alerts.
 *
 * @module
 */
import { anonymous } from '@flotilla/core/caller'
import { Cancellation } from '@flotilla/core/cancellation'
import type { Closing } from '@flotilla/core/closing'
import type { CallContext, Ports } from '@flotilla/core/context'
import type { Logger } from '@flotilla/core/log'
import type { Metrics } from '@flotilla/core/metrics'
import { countDead } from '@flotilla/core/parked-admin'
import { Ticker } from '@flotilla/core/ticker'
import { TraceContext } from '@flotilla/core/trace-context'
import type { ServiceDatabases } from '../api/databases.ts'

const COUNT_MS = 30_000
const COUNT_MS_MAX = 10_000

/** Counts until it is closed. */
export function showDeadEvents(
  metrics: Metrics,
  databases: ServiceDatabases,
  ports: Ports,
  { log, closing }: { readonly log: Logger; readonly closing: Closing },
): void {
  const { clock, random } = ports
  const gauge = metrics.gauge('flotilla_dead_events', 'Events that failed for good and wait for people.', [
    'service',
  ])
  const ticker = new Ticker({
    clock,
    random,
    intervalMs: COUNT_MS,
    async turn() {
      const context: CallContext = {
        caller: anonymous,
        deadlineMs: clock.monotonicMs() + COUNT_MS_MAX,
        trace: TraceContext.start(random, false),
        criticality: 'sheddable',
        cancellation: new Cancellation(),
      }
      const counts = await databases.inEach(context, countDead)
      for (const [service, count] of counts) gauge.with(service).set(count)
    },
    onError: (error) => log.warn('dead events were not counted', { error }),
  })
  closing.defer('count of dead events', () => ticker.close())
}
