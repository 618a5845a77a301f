/**
 * What all pieces of a host share.
 *
 * @module
 */
import type { CallPolicies } from '../client/call-policies.ts'
import type { Closing } from '../kernel/closing.ts'
import type { Ports } from '../kernel/context.ts'
import type { TimerWheel } from '../kernel/timer-wheel.ts'
import type { LoopWatch } from '../service/loop-watch.ts'
import type { ServiceReceiver } from '../service/receive.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { OutsideRequests } from '../telemetry/outside-requests.ts'
import type { Redaction } from '../telemetry/redaction.ts'
import type { SpanRing } from '../telemetry/spans.ts'
import type { HttpClient } from '../wire/http/http-client.ts'
import type { Trust } from '../wire/trust.ts'
import type { App } from './app.ts'
import type { Environment } from './config.ts'
import type { OwnPolicies } from './own-policies.ts'
import type { HostSettings } from './settings.ts'

/** The pieces. */
export interface HostParts {
  readonly app: App
  readonly settings: HostSettings
  /** Where services read their own settings and the URLs of their databases. */
  readonly environment: Environment
  readonly ports: Ports
  /** For what concerns the whole host. */
  readonly log: Logger
  /** For what concerns one service. */
  readonly logOf: (service: string) => Logger
  /** What no line of the host has in it. */
  readonly redaction: Redaction
  readonly metrics: Metrics
  readonly spans: SpanRing
  /** Whether a trace that begins now is to be recorded whole. */
  readonly isSampled: () => boolean
  readonly wheel: TimerWheel
  readonly trust: Trust
  readonly http: HttpClient
  /** What is counted of requests to the outside. */
  readonly outside: OutsideRequests
  /** Answers the calls to all services of the host. */
  readonly receiver: ServiceReceiver
  /** Says what is refused when the event loop is late; absent: nothing. */
  readonly watch: LoopWatch | undefined
  /** What the operator says about calls. */
  readonly policies: CallPolicies
  /** What the operator says to services of this host, by their names; none when there is no policy file. */
  readonly ownPolicies: Map<string, OwnPolicies>
  readonly closing: Closing
  readonly state: HostState
}

/** Where in its life a host is. */
export interface HostState {
  isReady: boolean
  isDraining: boolean
}
