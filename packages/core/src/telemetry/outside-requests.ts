/**
 * Requests to servers that are no services of ours, counted by who asks and whom, whatever the protocol: so that it can be seen whether we
 * are slow or they are.
 *
 * A server is called by the name that is known for it, or else by its host and port. There may be addresses in a request's data, so what is
 * not known before has a bound.
 *
 * @module
 */
import type { Code } from '../kernel/code.ts'
import type { Counter, Family, Gauge, Histogram, Metrics } from './metrics.ts'

/** Servers that are told apart in one process; all further ones are `other`. */
const PEERS_MAX = 50
const OTHER = 'other'

/** One server, as one service asks it. */
export class OutsidePeer {
  readonly name: string
  readonly #outcomes: (code: string) => Counter
  readonly #durations: Histogram
  readonly #pending: Gauge

  constructor(name: string, outcomes: (code: string) => Counter, durations: Histogram, pending: Gauge) {
    this.name = name
    this.#outcomes = outcomes
    this.#durations = durations
    this.#pending = pending
  }

  /** A request sets out; `end` is to follow, once. */
  begin(): void {
    this.#pending.add(1)
  }

  /** `code`: `ok` too where the server has said no, as long as it has said so well. */
  end(code: Code | 'ok', durationMs: number): void {
    this.#pending.add(-1)
    this.#outcomes(code).add()
    this.#durations.observe(durationMs)
  }
}

/** All of one process. */
export class OutsideRequests {
  readonly #names: ReadonlyMap<string, string>
  readonly #outcomes: Family<Counter>
  readonly #durations: Family<Histogram>
  readonly #pending: Family<Gauge>
  readonly #hosts = new Set<string>()
  readonly #peers = new Map<string, OutsidePeer>()

  /** @param names of servers, by host and port as URLs have them */
  constructor(metrics: Metrics, names: ReadonlyMap<string, string> = new Map()) {
    this.#names = names
    this.#outcomes = metrics.counter(
      'flotilla_outside_requests_total',
      'Requests to servers outside, by who asked, whom, and what came of it.',
      ['caller', 'peer', 'code'],
    )
    this.#durations = metrics.histogram(
      'flotilla_outside_duration_seconds',
      'From a request to a server outside to its answer, or to giving up.',
      ['caller', 'peer'],
    )
    this.#pending = metrics.gauge(
      'flotilla_outside_pending',
      'Requests to servers outside that are without an answer.',
      ['caller', 'peer'],
    )
  }

  /** The server at `host` (with its port, as URLs have it), asked by the service `caller`. */
  peer(caller: string, host: string): OutsidePeer {
    const name = this.#nameOf(host)
    const key = `${caller} ${name}`
    const known = this.#peers.get(key)
    if (known !== undefined) return known
    const peer = new OutsidePeer(
      name,
      (code) => this.#outcomes.with(caller, name, code),
      this.#durations.with(caller, name),
      this.#pending.with(caller, name),
    )
    this.#peers.set(key, peer)
    return peer
  }

  #nameOf(host: string): string {
    const name = this.#names.get(host)
    if (name !== undefined) return name
    if (this.#hosts.has(host)) return host
    if (this.#hosts.size >= PEERS_MAX) return OTHER
    this.#hosts.add(host)
    return host
  }
}
