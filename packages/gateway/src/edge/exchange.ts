/**
 * One request and its answer. `run` lists the stages in their order; each either goes on or ends the exchange with an answer
 * or a `FlotillaError`.
 *
 * @module
 */
import { refusal } from '@flotilla/core/access'
import { anonymous, type Caller, type User } from '@flotilla/core/caller'
import { Cancellation } from '@flotilla/core/cancellation'
import type { CallContext } from '@flotilla/core/context'
import { asSeenUpstream, FlotillaError, isFlotillaError } from '@flotilla/core/error'
import type { Operation } from '@flotilla/core/operation'
import { problemOf } from '@flotilla/core/problem'
import { preferenceOf, readInput } from '@flotilla/core/rest'
import type { RouteMatch } from '@flotilla/core/router'
import { sendEvents } from '@flotilla/core/send-events'
import type { BucketAnswer } from '@flotilla/core/token-bucket'
import { TraceContext } from '@flotilla/core/trace-context'
import type { Reply } from '@flotilla/core/wire'
import type { Turn } from '../http/turn.ts'
import type { RateLimit } from '../limit/rate-limit.ts'
import { addressGroup } from '../match/client-address.ts'
import type { RequestHead } from '../match/request-head.ts'
import { type Answer, commonHeaders, errorAnswer, send, withHeaders } from './answer.ts'
import { authenticate, knownUser } from './authenticate.ts'
import { readJsonBody } from './body.ts'
import { countedBy, type RoutePlan, refusalBy } from './edge-policies.ts'
import type { Edge } from './equipment.ts'
import { findOperation, optionsAnswer } from './find-operation.ts'
import type { Route } from './route.ts'
import { successAnswer } from './success-answer.ts'

const REFUSED_PATH_CHARS_MAX = 200
/** Keys of buckets are kept; what they are made of comes from strangers. */
const STRICT_KEY_CHARS_MAX = 256
const UNLIMITED_ROLES = ['admin']
/** What scripts of allowed origins may read of an answer, beside the usual. */
const EXPOSED =
  'ETag, Idempotent-Replayed, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id'

/** An exchange. */
export class Exchange {
  readonly #edge: Edge
  readonly #turn: Turn
  readonly #startMs: number
  readonly #trace: TraceContext
  readonly #headers: string[] = []
  readonly #cancellation = new Cancellation()
  #requestId: string | undefined
  #parentTrace: string | undefined
  #userAgent: string | undefined
  #path = ''
  #address = ''
  #user: User | undefined
  #route: Route | undefined
  #plan: RoutePlan | undefined
  #isCors = false

  constructor(edge: Edge, turn: Turn) {
    const { clock, random } = edge.runtime
    this.#edge = edge
    this.#turn = turn
    this.#startMs = clock.monotonicMs()
    this.#trace = TraceContext.start(random, false)
  }

  /** Runs it to its end; never throws. What can be done at once is: most requests bring a token that was checked before. */
  run(): void {
    try {
      const head = this.#readHead()
      this.#countAddress()
      const page = this.#page(head)
      if (page !== undefined) return this.#end(page)
      const match = this.#match(head)
      this.#route = this.#edge.routes.get(match.operation) as Route
      this.#follow(head, match.operation)
      // Before tokens are checked and bodies read. Streams are let in: they would only come back at once.
      const { kind, criticality } = match.operation
      const refused =
        kind !== 'stream' && this.#edge.runtime.refusal(this.#plan?.policy.criticality ?? criticality)
      if (refused) throw refused
      const user = knownUser(this.#edge, head)
      if (user === 'unknown')
        void authenticate(this.#edge, head).then(
          (its) => this.#goOn(head, match, its),
          (error: unknown) => this.#fail(error),
        )
      else this.#goOn(head, match, user)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** From when it is known who asks. */
  #goOn(head: RequestHead, match: RouteMatch, user: User | undefined): void {
    try {
      this.#user = user
      const route = this.#choose(this.#route as Route)
      const caller = user === undefined ? anonymous : this.#edge.userTokens.callerOf(user)
      this.#countCaller()
      this.#authorise(route, caller)
      if (!route.operation.rest?.hasBody) return this.#ask(route, head, match, undefined, caller)
      void readJsonBody(this.#turn, head)
        .then((body) => this.#ask(route, head, match, body, caller))
        .catch((error: unknown) => this.#fail(error))
    } catch (error) {
      this.#fail(error)
    }
  }

  #ask(route: Route, head: RequestHead, { parameters }: RouteMatch, body: unknown, caller: Caller): void {
    const { search, ifMatch, prefer } = head
    const input = readInput(route.operation, { parameters, search, ifMatch, prefer, body })
    this.#countStrict(route, input)
    this.#call(route, head, input, caller)
  }

  /** What a request claims to be, read strictly; what is ambiguous goes no further, and neither does its connection. */
  #readHead(): RequestHead {
    const { head, remoteAddress, target } = this.#turn
    if ('why' in head) {
      this.#path = (target.split('?', 1)[0] as string).slice(0, REFUSED_PATH_CHARS_MAX)
      this.#address = this.#edge.addressOf(remoteAddress, undefined)
      const code = head.status >= 500 ? 'unimplemented' : 'invalid_argument'
      throw new FlotillaError(code, head.why, { status: head.status, executed: 'no' })
    }
    this.#path = head.path
    this.#requestId = head.requestId
    this.#userAgent = head.userAgent
    // The client's trace is not continued: who may write into ours would decide what is recorded.
    this.#parentTrace = TraceContext.parse(head.traceparent ?? '')?.traceId
    this.#address = this.#edge.addressOf(remoteAddress, head.forwardedFor)
    this.#answerOrigin(head.origin)
    return head
  }

  #answerOrigin(origin: string | undefined): void {
    const { corsOrigins } = this.#edge.policies
    if (corsOrigins.size === 0) return
    // Also where there is no origin: a shared cache must not give that answer to a browser.
    this.#headers.push('vary', 'Origin')
    if (origin === undefined || !corsOrigins.has(origin)) return
    this.#isCors = true
    this.#headers.push('access-control-allow-origin', origin, 'access-control-expose-headers', EXPOSED)
  }

  #countAddress(): void {
    this.#count(this.#edge.policies.limits.address, addressGroup(this.#address))
  }

  /** Pages of the gateway itself, and what browsers ask before they ask. */
  #page(head: RequestHead): Answer | undefined {
    const { method } = this.#turn
    if (method === 'OPTIONS') return optionsAnswer(this.#edge, head, this.#isCors)
    return method === 'GET' || method === 'HEAD' ? this.#edge.pages(head.path) : undefined
  }

  #match({ path }: RequestHead): RouteMatch {
    const found = findOperation(this.#edge, this.#turn.method, path)
    if ('operation' in found) return found
    const { allowed } = found
    this.#headers.push('allow', allowed)
    throw new FlotillaError('unimplemented', `This path takes ${allowed}.`, { status: 405, executed: 'no' })
  }

  /** What the operator says about requests like this one. */
  #follow(head: RequestHead, operation: Operation): void {
    const plan = this.#edge.policies.routes.find(operation, this.#turn.method, head)
    this.#plan = plan
    const refused = plan && refusalBy(plan.policy)
    if (refused !== undefined) throw refused
  }

  /** Who answers: what the route says, or somebody the operator has put there. */
  #choose(route: Route): Route {
    const { to, policy } = this.#plan ?? {}
    if (to === undefined) return route
    const key = policy?.sticky === 'user' ? this.#user?.id : policy?.sticky && addressGroup(this.#address)
    const chosen = key === undefined ? to.any(this.#edge.runtime.random) : to.of(key)
    this.#route = chosen
    return chosen
  }

  #countCaller(): void {
    const { anonymous: perAddress, tiers } = this.#edge.policies.limits
    const user = this.#user
    if (user === undefined) this.#count(perAddress, addressGroup(this.#address))
    else if (!user.roles.some((role) => UNLIMITED_ROLES.includes(role))) {
      const limit = tiers.get(user.tier)
      if (limit !== undefined) this.#count(limit, user.id)
    }
    const { limit, policy } = this.#plan ?? {}
    if (limit !== undefined) this.#count(limit, countedBy(policy?.limit?.by, this.#user, this.#address))
  }

  /** The same rule the service applies; here it saves the way there. */
  #authorise({ operation }: Route, caller: Caller): void {
    const roles = this.#plan?.policy.roles
    const denied =
      refusal(operation.access, caller, operation.scope) ??
      (roles && refusal({ kind: 'role', roles }, caller, operation.scope))
    if (denied === undefined) return
    const message = denied === 'unauthenticated' ? 'Please log in.' : 'This is not allowed to you.'
    throw new FlotillaError(denied, message, { executed: 'no' })
  }

  #countStrict(route: Route, input: unknown): void {
    if (route.strictKeyOf === undefined) return
    const { strict } = this.#edge.policies.limits
    const { id } = route.operation
    this.#count(strict, `${id} ${addressGroup(this.#address)}`)
    this.#count(strict, `${id} ${route.strictKeyOf(input).slice(0, STRICT_KEY_CHARS_MAX)}`)
  }

  #call(route: Route, head: RequestHead, input: unknown, caller: Caller): void {
    const { operation } = route
    const turn = this.#turn
    // While the token was checked or the body read; its event is over.
    if (turn.isOver) throw new FlotillaError('canceled', 'The client hung up.', { executed: 'no' })
    turn.onHangUp = () => this.#cancellation.cancel(new FlotillaError('canceled', 'The client hung up.'))
    const { timeoutMs = operation.timeoutMs, criticality = operation.criticality } = this.#plan?.policy ?? {}
    const context = {
      caller,
      deadlineMs: this.#startMs + timeoutMs,
      requestId: this.#requestId,
      trace: this.#trace,
      criticality,
      cancellation: this.#cancellation,
    }
    const options = head.idempotencyKey === undefined ? {} : { idempotencyKey: head.idempotencyKey }
    if (operation.kind === 'stream') {
      const items = route.passOn.stream(input, context, options)
      this.#stream(items)
      return
    }
    const preference = operation.rest && preferenceOf(operation.rest, input)
    const compare = this.#mirror(input, context)
    route.passOn.call(input, context, options, (reply) => {
      compare?.(reply)
      if (preference !== undefined) this.#headers.push('preference-applied', preference)
      if (reply.error === undefined)
        this.#end(successAnswer(route, head.ifNoneMatch, reply, this.#user !== undefined))
      else this.#fail(reply.error)
    })
  }

  /** Asks somebody else the same, if the operator wants that; what it gives takes the answer, to compare. */
  #mirror(input: unknown, context: CallContext): ((reply: Reply) => void) | undefined {
    const { mirror, policy } = this.#plan ?? {}
    if (mirror === undefined || this.#edge.runtime.random.next() >= (policy?.mirror?.share ?? 1))
      return undefined
    return this.#edge.mirror.call(mirror, input, context)
  }

  #stream(items: AsyncIterable<unknown>): void {
    const turn = this.#turn
    const { runtime, streams } = this.#edge
    const { traceId } = this.#trace
    // Its head goes out long before it ends; draining must not be left with a connection that was promised to stay.
    turn.keepsConnection = false
    streams.add(this.#cancellation)
    const open = (headers: readonly string[]) => turn.stream(200, headers)
    void sendEvents(open, items, {
      clock: runtime.clock,
      cancellation: this.#cancellation,
      headers: [...this.#headers, ...commonHeaders(this.#requestId ?? traceId, this.#trace.toString())],
      problemOf: (error) => problemOf(error, traceId),
    })
      .then((bytes) => this.#log(200, bytes, undefined))
      .catch((error: unknown) => this.#fail(error))
      .finally(() => streams.delete(this.#cancellation))
  }

  #count(limit: RateLimit, key: string): void {
    const answer: BucketAnswer = limit.take(key)
    if (answer.isAllowed) return
    this.#headers.push('ratelimit-policy', limit.policyField, 'ratelimit', limit.field(answer))
    throw new FlotillaError('resource_exhausted', 'Too many requests; wait a moment.', {
      executed: 'no',
      retryAfterMs: answer.retryAfterMs,
    })
  }

  #fail(error: unknown): void {
    const known = isFlotillaError(error) ? error : asSeenUpstream(error, {})
    if (!isFlotillaError(error))
      this.#edge.runtime.log.error('the gateway failed', { error, trace_id: this.#trace.traceId })
    if (this.#turn.isAnswered) {
      this.#turn.destroy()
      this.#log(known.status, 0, known)
      return
    }
    this.#end(errorAnswer(known, this.#trace.traceId), known)
  }

  #end(answer: Answer, error?: FlotillaError): void {
    const own = [...this.#headers, ...answer.headers]
    const headers = withHeaders(own, this.#edge.policies.headers, this.#plan?.policy.headers)
    const all = { ...answer, headers }
    // Who leaves keeps no connection.
    if (this.#edge.runtime.isDraining()) this.#turn.keepsConnection = false
    const bytes = send(this.#turn, all, this.#requestId ?? this.#trace.traceId, this.#trace.toString())
    this.#log(answer.status, bytes, error)
  }

  #log(status: number, bytes: number, error: FlotillaError | undefined): void {
    const { accessLog, metrics, runtime } = this.#edge
    const durationMs = runtime.clock.monotonicMs() - this.#startMs
    const { method } = this.#turn
    const operation = this.#route?.operation.id
    metrics.ended(operation ?? '-', status, durationMs)
    const name = this.#route?.spanName ?? method
    runtime.spans.record(
      name,
      'server',
      this.#trace,
      undefined,
      this.#startMs,
      durationMs,
      error?.code ?? 'ok',
    )
    const { traceId } = this.#trace
    accessLog.add({
      method,
      path: this.#path,
      operation,
      status,
      durationMs,
      bytes,
      address: this.#address,
      userId: this.#user?.id,
      requestId: this.#requestId ?? traceId,
      traceId,
      parentTrace: this.#parentTrace,
      userAgent: this.#userAgent,
      code: error?.code,
      error: status >= 500 ? error?.message : undefined,
    })
  }
}
