/**
 * Who asked whom and how it went, as spans tell: for services that have no counters of ours.
 *
 * @module
 */
import { spanKinds } from './rows.ts'
import { STATEMENT_MS, spanOf, type TelemetrySource, type TimeRange } from './search-back.ts'

/** What is asked. */
export interface ServiceCallsQuery extends TimeRange {
  /** Calls between two of these are left out; at least one. */
  readonly known: readonly string[]
}

/** What a service answered, and how long that took. */
export interface ServiceAnswers {
  readonly service: string
  readonly count: number
  readonly failedCount: number
  readonly p50Us: number
  readonly p95Us: number
  readonly p99Us: number
}

/** What one service answered another. */
export interface ServiceCalls extends ServiceAnswers {
  /** '' when nobody is known to have asked. */
  readonly caller: string
}

const PAIRS_MAX = 200
const SERVICES_MAX = 100
/** Who asks has begun so long before at most. */
const CALLER_US = 60_000_000
const ANSWERS = [spanKinds.indexOf('server'), spanKinds.indexOf('consumer')].join(',')

/**
 * The busiest 200 pairs. Counted are the spans that were kept, which need not be all.
 *
 * @throws FlotillaError `invalid_argument` for a question that is wrong.
 */
export async function findServiceCalls(
  { database }: TelemetrySource,
  { known, ...range }: ServiceCallsQuery,
): Promise<readonly ServiceCalls[]> {
  const { fromUs, toUs } = spanOf(range)
  const ours = placesOf(known)
  const time = `start_us >= ${fromUs} and start_us < ${toUs}`
  // Mostly there is none, and that is soon found out.
  const others = await database.ask(
    `select 1 from spans where ${time} and service not in ${ours} limit 1`,
    known,
    STATEMENT_MS,
  )
  if (others.length === 0) return []
  return database.ask<ServiceCalls>(
    `with asking as (select trace_id, span_id, service from spans where start_us >= ${fromUs - CALLER_US} and start_us < ${toUs})
     select coalesce(asking.service, '') as caller, answered.service as service, count(*)::double as "count",
       (count(*) filter (status <> 'ok'))::double as "failedCount", quantile_cont(duration_us, 0.5)::double as "p50Us",
       quantile_cont(duration_us, 0.95)::double as "p95Us", quantile_cont(duration_us, 0.99)::double as "p99Us"
     from spans as answered left join asking on asking.trace_id = answered.trace_id and asking.span_id = answered.parent_id
     where ${time} and kind in (${ANSWERS}) and (answered.service not in ${ours} or asking.service not in ${ours})
     group by 1, 2 order by 3 desc, 1, 2 limit ${PAIRS_MAX}`,
    known,
    STATEMENT_MS,
  )
}

/**
 * Services that are none of `known` and have a span in the time, the busiest 100: what they answered, which may be nothing.
 *
 * @throws FlotillaError `invalid_argument` for a question that is wrong.
 */
export async function findOtherServices(
  { database }: TelemetrySource,
  { known, ...range }: ServiceCallsQuery,
): Promise<readonly ServiceAnswers[]> {
  const { fromUs, toUs } = spanOf(range)
  const quantile = (share: number): string =>
    `coalesce(quantile_cont(duration_us, ${share}) filter (kind in (${ANSWERS})), 0)::double`
  return database.ask<ServiceAnswers>(
    `select service, (count(*) filter (kind in (${ANSWERS})))::double as "count",
       (count(*) filter (kind in (${ANSWERS}) and status <> 'ok'))::double as "failedCount",
       ${quantile(0.5)} as "p50Us", ${quantile(0.95)} as "p95Us", ${quantile(0.99)} as "p99Us"
     from spans where start_us >= ${fromUs} and start_us < ${toUs} and service not in ${placesOf(known)}
     group by 1 order by 2 desc, 1 limit ${SERVICES_MAX}`,
    known,
    STATEMENT_MS,
  )
}

/** What stands for values in a statement: `($1,$2)`. */
function placesOf(values: readonly string[]): string {
  return `(${values.map((_, index) => `$${index + 1}`).join(',')})`
}
