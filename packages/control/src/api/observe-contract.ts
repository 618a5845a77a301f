/**
 * What a running system tells of itself: the console and the commands `logs`, `trace`, `traces`, `metrics` and `alerts` ask it.
 *
 * Ranges: `fromMs` and `toMs` are milliseconds since 1970, by default the last 15 minutes.
 *
 * @module
 */
import { role } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { query, stream } from '@flotilla/core/operation'
import { Type } from '@flotilla/core/schema'
import {
  AlertInfo,
  AuditEntry,
  DatabaseInfo,
  Exemplar,
  LogEntry,
  MapEdge,
  MapNode,
  MetricInfo,
  Overview,
  RouteInfo,
  Series,
  ServiceDetail,
  SpanInfo,
  StoreState,
  TopicInfo,
  TraceSummary,
} from './shapes.ts'

/** Whoever has logged in at the console may look; the token of the data folder may do everything. */
const viewer = role('viewer', 'operator')

const Service = Type.String({ maxLength: 64 })
const TraceId = Type.String({ pattern: '^[0-9a-f]{32}$' })
const Cursor = Type.Optional(Type.String({ maxLength: 200 }))
const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 500 }))
const TracesLimit = Type.Optional(Type.Integer({ minimum: 1, maximum: 200 }))
const Ms = Type.Number({ minimum: 0, maximum: 1e14 })
/** What figures are over; default a minute. */
const WindowMs = Type.Optional(Type.Integer({ minimum: 1_000, maximum: 7 * 24 * 3_600_000 }))
const range = { fromMs: Type.Optional(Ms), toMs: Type.Optional(Ms) }
const Search = Type.String({ maxLength: 1_000 })
const items = <T extends Parameters<typeof Type.Array>[0]>(item: T) =>
  Type.Object({ items: Type.Array(item) })
/** A search gets a share of time. Ended by that, it came back to this moment and no further; `nextCursor` goes on. Null: it was not. */
const CutShortAtMs = Type.Union([Ms, Type.Null()])
const badQuery = { bad_query: { code: 'invalid_argument', title: 'The query cannot be read' } } as const

/** The observing half of the control API. */
export const observeContract = defineContract({
  name: 'observe',
  version: 1,
  summary: 'A running system: what it does, what hurts, and why.',
  operations: {
    overview: query({
      summary: 'Health, rates, and what is wrong now.',
      access: viewer,
      http: 'GET /observe/overview',
      input: Type.Object({ windowMs: WindowMs }),
      output: Overview,
    }),
    followOverview: stream({
      summary: 'The same, again every two seconds.',
      access: viewer,
      http: 'GET /observe/overview/stream',
      input: Type.Object({ windowMs: WindowMs }),
      output: Overview,
    }),
    map: query({
      summary: 'Services, databases, topics and the ways between them.',
      access: viewer,
      http: 'GET /observe/map',
      input: Type.Object({ windowMs: WindowMs }),
      output: Type.Object({ nodes: Type.Array(MapNode), edges: Type.Array(MapEdge) }),
    }),
    service: query({
      summary: 'One service: operations with their figures, what it depends on.',
      access: viewer,
      http: 'GET /observe/services/{service}',
      input: Type.Object({ service: Service, windowMs: WindowMs }),
      output: ServiceDetail,
      reasons: { no_service: { code: 'not_found', title: 'There is no such service' } },
    }),
    traces: query({
      summary: 'Traces, the latest first.',
      access: viewer,
      http: 'GET /observe/traces',
      timeoutMs: 10_000,
      input: Type.Object({
        /** Also one of others, which chose its name itself. */
        service: Type.Optional(Type.String({ maxLength: 200 })),
        /** Part of the name of one of its spans, in any case. */
        name: Type.Optional(Search),
        minMs: Type.Optional(Ms),
        maxMs: Type.Optional(Ms),
        isFailed: Type.Optional(Type.Boolean()),
        ...range,
        limit: TracesLimit,
        cursor: Cursor,
      }),
      output: Type.Object({
        items: Type.Array(TraceSummary),
        nextCursor: Type.Union([Type.String(), Type.Null()]),
        cutShortAtMs: CutShortAtMs,
      }),
      reasons: badQuery,
    }),
    trace: query({
      summary: 'One trace: its spans, and how many log lines belong to it.',
      access: viewer,
      http: 'GET /observe/traces/{traceId}',
      timeoutMs: 10_000,
      input: Type.Object({ traceId: TraceId }),
      output: Type.Object({
        ...TraceSummary.properties,
        items: Type.Array(SpanInfo),
        /** It has more than 5,000 spans, which are not all here. */
        isTruncated: Type.Boolean(),
        logLines: Type.Integer(),
        /** There may be more: 500 were counted, or there was no time to count them all. */
        hasMoreLogLines: Type.Boolean(),
      }),
      reasons: { no_trace: { code: 'not_found', title: 'There is no such trace, or no more' } },
    }),
    logs: query({
      summary: 'Log lines, the latest first. Words, "phrases", field=value, field!=value, level>=warn.',
      access: viewer,
      http: 'GET /observe/logs',
      timeoutMs: 10_000,
      input: Type.Object({ q: Type.Optional(Search), ...range, limit: Limit, cursor: Cursor }),
      output: Type.Object({
        items: Type.Array(LogEntry),
        nextCursor: Type.Union([Type.String(), Type.Null()]),
        cutShortAtMs: CutShortAtMs,
      }),
      reasons: badQuery,
    }),
    logHistogram: query({
      summary: 'How many lines there are over time, by level.',
      access: viewer,
      http: 'GET /observe/logs/histogram',
      timeoutMs: 10_000,
      input: Type.Object({
        q: Type.Optional(Search),
        ...range,
        buckets: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
      }),
      output: Type.Object({
        stepMs: Type.Number(),
        items: Type.Array(
          Type.Object({ atMs: Type.Number(), levels: Type.Record(Type.String(), Type.Integer()) }),
        ),
        /** What is before it was not counted. */
        cutShortAtMs: CutShortAtMs,
      }),
      reasons: badQuery,
    }),
    followLogs: stream({
      summary: 'Log lines as they come.',
      access: viewer,
      http: 'GET /observe/logs/stream',
      input: Type.Object({ q: Type.Optional(Search) }),
      output: LogEntry,
      reasons: badQuery,
    }),
    metrics: query({
      summary: 'What is measured.',
      access: viewer,
      http: 'GET /observe/metrics',
      output: items(MetricInfo),
    }),
    series: query({
      summary: 'A metric over time: as it is, per second, or a quantile of it.',
      access: viewer,
      http: 'GET /observe/series',
      timeoutMs: 10_000,
      input: Type.Object({
        name: Type.String({ maxLength: 128 }),
        /** `label=value` or `label!=value`, separated by commas; several values as `a|b`. */
        where: Type.Optional(Search),
        /** Labels to add up by, separated by commas; absent: each series by itself. */
        by: Type.Optional(Search),
        as: Type.Optional(Type.Enum(['value', 'rate', 'quantile'])),
        quantile: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
        ...range,
        stepMs: Type.Optional(Ms),
      }),
      output: Type.Object({ items: Type.Array(Series), exemplars: Type.Array(Exemplar) }),
      reasons: badQuery,
    }),
    topics: query({
      summary: 'Topics, who follows them, and how far behind.',
      access: viewer,
      http: 'GET /observe/topics',
      timeoutMs: 10_000,
      output: items(TopicInfo),
    }),
    routes: query({
      summary: 'Routes of the gateway with their policies and figures.',
      access: viewer,
      http: 'GET /observe/routes',
      input: Type.Object({ windowMs: WindowMs }),
      output: items(RouteInfo),
    }),
    alerts: query({
      summary: 'Alerts: firing, pending, and resolved within a day.',
      access: viewer,
      http: 'GET /observe/alerts',
      output: items(AlertInfo),
    }),
    databases: query({
      summary: 'The databases of the services.',
      access: viewer,
      http: 'GET /observe/databases',
      timeoutMs: 10_000,
      output: items(DatabaseInfo),
    }),
    audit: query({
      summary: 'What operators did, the latest first.',
      access: viewer,
      http: 'GET /observe/audit',
      output: items(AuditEntry),
    }),
    store: query({
      summary: 'What is kept of all this, and what could not be.',
      access: viewer,
      http: 'GET /observe/store',
      output: StoreState,
    }),
  },
})
