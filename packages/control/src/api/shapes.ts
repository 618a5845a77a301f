/**
 * What the observing half of the control API answers with: the state of a running system as the console and the command line show it.
 *
 * Rates are per second over the window that was asked for, durations milliseconds, sizes bytes, shares 0 to 1.
 *
 * @module
 */
import { type Static, Time, Type } from '@flotilla/core/schema'

const Count = Type.Integer({ minimum: 0 })
/** As long as the store keeps them: programs of others choose theirs themselves. */
const Name = Type.String({ maxLength: 200 })
const Labels = Type.Record(Type.String(), Type.String())

/** How well a thing is: `idle` when nothing was asked of it. */
export const Health = Type.Enum(['ok', 'warning', 'bad', 'idle'])

/** Rate, errors, duration of whatever is asked. */
const red = {
  rate: Type.Number(),
  errorShare: Type.Number(),
  p50Ms: Type.Number(),
  p95Ms: Type.Number(),
  p99Ms: Type.Number(),
}

/** A service at a glance. */
export const ServiceSummary = Type.Object({
  name: Name,
  health: Health,
  /** In words, the worst first; empty where it is well. */
  why: Type.Array(Type.String()),
  hosts: Type.Array(Name),
  ready: Count,
  wanted: Count,
  ...red,
  /** Rates over the window, oldest first: for a small picture. */
  spark: Type.Array(Type.Number()),
})

/** A service at a glance as a value. */
export type ServiceSummary = Static<typeof ServiceSummary>

/** A program that is none of the system's, and sends it spans. Counted are those that were sent and kept: its answers. */
export const ForeignService = Type.Object({ name: Name, ...red })

/** A program of others as a value. */
export type ForeignService = Static<typeof ForeignService>

/** Something that is wrong now. */
export const Problem = Type.Object({
  severity: Type.Enum(['critical', 'warning']),
  title: Type.String(),
  detail: Type.String(),
  /** What it is about. */
  service: Type.Optional(Name),
  /** A trace that shows it. */
  traceId: Type.Optional(Type.String()),
  /** Absent: it is so now, and nobody wrote down since when. */
  sinceMs: Type.Optional(Type.Number()),
})

/** Something that is wrong as a value. */
export type Problem = Static<typeof Problem>

/** Sagas of a kind that have not ended. */
export const SagaCounts = Type.Object({
  saga: Name,
  /** Want to run, and stand in line. */
  ready: Count,
  running: Count,
  /** For a time, or for somebody. */
  waiting: Count,
  /** Need people. */
  parked: Count,
})

/** Sagas of a kind that have not ended as a value. */
export type SagaCounts = Static<typeof SagaCounts>

/** Everything at a glance. */
export const Overview = Type.Object({
  at: Time,
  app: Type.String(),
  placement: Type.String(),
  gateway: Type.String(),
  startedAt: Time,
  totals: Type.Object({ ...red, instances: Count, ready: Count }),
  problems: Type.Array(Problem),
  services: Type.Array(ServiceSummary),
  foreign: Type.Array(ForeignService),
  /** Of the business, as the app names them: orders a minute, revenue. */
  business: Type.Array(
    Type.Object({
      name: Type.String(),
      value: Type.Number(),
      unit: Type.String(),
      spark: Type.Array(Type.Number()),
    }),
  ),
  sagas: Type.Array(SagaCounts),
})

/** Everything at a glance as a value. */
export type Overview = Static<typeof Overview>

/** A node of the map. */
export const MapNode = Type.Object({
  id: Name,
  kind: Type.Enum(['client', 'gateway', 'service', 'database', 'topic', 'outside']),
  name: Name,
  health: Health,
  ready: Count,
  wanted: Count,
  /** The processes it is in. */
  hosts: Type.Array(Name),
})

/** A node of the map as a value. */
export type MapNode = Static<typeof MapNode>

/** A way that requests or events take. */
export const MapEdge = Type.Object({
  from: Name,
  to: Name,
  kind: Type.Enum(['request', 'call', 'event', 'sql']),
  rate: Type.Number(),
  errorShare: Type.Number(),
  p95Ms: Type.Number(),
  /** Attempts for each call: 1 where nothing is tried again. */
  amplification: Type.Number(),
})

/** A way as a value. */
export type MapEdge = Static<typeof MapEdge>

/** An operation with its figures. */
export const OperationFigures = Type.Object({
  operation: Name,
  summary: Type.String(),
  kind: Type.String(),
  access: Type.String(),
  http: Type.Optional(Type.String()),
  ...red,
})

/** One service, whole. */
export const ServiceDetail = Type.Object({
  ...ServiceSummary.properties,
  summary: Type.String(),
  operations: Type.Array(OperationFigures),
  publishes: Type.Array(Name),
  follows: Type.Array(Name),
  edges: Type.Array(MapEdge),
})

/** One service, whole as a value. */
export type ServiceDetail = Static<typeof ServiceDetail>

/** A trace at a glance. */
export const TraceSummary = Type.Object({
  traceId: Type.String(),
  /** Its first span. */
  name: Type.String(),
  service: Name,
  startAt: Time,
  durationMs: Type.Number(),
  spans: Count,
  errors: Count,
  services: Type.Array(Name),
})

/** A trace at a glance as a value. */
export type TraceSummary = Static<typeof TraceSummary>

/** A span of a trace. */
export const SpanInfo = Type.Object({
  spanId: Type.String(),
  parentId: Type.Optional(Type.String()),
  name: Type.String(),
  kind: Type.Enum(['client', 'server', 'internal', 'producer', 'consumer']),
  service: Name,
  instance: Name,
  /** Since the start of the trace. */
  startMs: Type.Number(),
  durationMs: Type.Number(),
  /** `ok`, or what went wrong. */
  code: Type.String(),
  attributes: Type.Record(Type.String(), Type.Unknown()),
  /** True where the trace would have been shorter had this been. */
  isCritical: Type.Boolean(),
})

/** A span of a trace as a value. */
export type SpanInfo = Static<typeof SpanInfo>

/** A log line. */
export const LogEntry = Type.Object({
  time: Time,
  level: Type.String(),
  service: Name,
  instance: Name,
  message: Type.String(),
  traceId: Type.Optional(Type.String()),
  spanId: Type.Optional(Type.String()),
  fields: Type.Record(Type.String(), Type.Unknown()),
})

/** A log line as a value. */
export type LogEntry = Static<typeof LogEntry>

/** Points of a line: milliseconds since 1970 and value, oldest first; null where nothing is known. */
export const Series = Type.Object({
  labels: Labels,
  points: Type.Array(Type.Tuple([Type.Number(), Type.Union([Type.Number(), Type.Null()])])),
})

/** A line as a value. */
export type Series = Static<typeof Series>

/** A trace that shows what a point tells of. */
export const Exemplar = Type.Object({ atMs: Type.Number(), value: Type.Number(), traceId: Type.String() })

/** A metric. */
export const MetricInfo = Type.Object({
  name: Name,
  kind: Type.Enum(['counter', 'gauge', 'histogram']),
  labels: Type.Array(Name),
})

/** A metric as a value. */
export type MetricInfo = Static<typeof MetricInfo>

/** A topic of events. */
export const TopicInfo = Type.Object({
  topic: Name,
  publisher: Name,
  rate: Type.Number(),
  groups: Type.Array(
    Type.Object({ group: Name, service: Name, lag: Count, lagMs: Type.Number(), parked: Count }),
  ),
})

/** A topic of events as a value. */
export type TopicInfo = Static<typeof TopicInfo>

/** A route of the gateway. */
export const RouteInfo = Type.Object({
  method: Type.String(),
  path: Type.String(),
  /** The operation, or the foreign server. */
  target: Type.String(),
  access: Type.String(),
  timeoutMs: Type.Number(),
  /** What is declared for it, in words: limit, cache, retries, mirror … */
  policies: Type.Array(Type.String()),
  ...red,
  /** Share of answers that were kept ones; absent where nothing is kept. */
  hitShare: Type.Optional(Type.Number()),
})

/** A route of the gateway as a value. */
export type RouteInfo = Static<typeof RouteInfo>

/** An alert. */
export const AlertInfo = Type.Object({
  rule: Name,
  severity: Type.Enum(['critical', 'warning', 'info']),
  state: Type.Enum(['pending', 'firing', 'resolved']),
  summary: Type.String(),
  labels: Labels,
  value: Type.Number(),
  since: Time,
  /** When it was resolved. */
  until: Type.Optional(Time),
})

/** An alert as a value. */
export type AlertInfo = Static<typeof AlertInfo>

/** A service's database. */
export const DatabaseInfo = Type.Object({
  service: Name,
  database: Name,
  bytes: Count,
  connections: Count,
  transactionsPerSec: Type.Number(),
  /** Reads that PostgreSQL answered from its memory. */
  hitShare: Type.Number(),
  deadlocks: Count,
})

/** A service's database as a value. */
export type DatabaseInfo = Static<typeof DatabaseInfo>

/** Something an operator did. */
export const AuditEntry = Type.Object({
  at: Time,
  /** `console`, `command line`. */
  by: Type.String(),
  operation: Name,
  input: Type.Unknown(),
  /** `done`, or why it was refused. */
  outcome: Type.String(),
})

/** Something an operator did as a value. */
export type AuditEntry = Static<typeof AuditEntry>

/** The telemetry that is kept. */
export const StoreState = Type.Object({
  bytes: Count,
  bytesMax: Count,
  spans: Count,
  logs: Count,
  series: Count,
  oldest: Type.Union([Time, Type.Null()]),
  /** What could not be kept since the start, by kind. */
  dropped: Type.Record(Type.String(), Count),
})
