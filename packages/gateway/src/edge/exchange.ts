/**
 * One request and its answer. `run` lists the stages in their order; each either goes on or ends the exchange with an answer
 * or a `FlotillaError`.
 *
 * @module
 */
import { refusal } from '@flotilla/core/access'
import { anonymous, type Caller, type User } from '@flotilla/core/caller'
import { Cancellation } from '@flotilla/core/cancellation'
import { asSeenUpstream, FlotillaError, isFlotillaError } from '@flotilla/core/error'
import { problemOf } from '@flotilla/core/problem'
import { entityTag, preferenceOf, readInput, statusOf } from '@flotilla/core/rest'
import type { RouteMatch } from '@flotilla/core/router'
import { sendEvents } from '@flotilla/core/send-events'
import type { BucketAnswer } from '@flotilla/core/token-bucket'
import { TraceContext } from '@flotilla/core/trace-context'
import type { Reply } from '@flotilla/core/wire'
import type { Turn } from '../http/turn.ts'
import type { RateLimit } from '../limit/rate-limit.ts'
import { addressGroup } from '../match/client-address.ts'
import type { RequestHead } from '../match/request-head.ts'
import { type Answer, commonHeaders, emptyAnswer, errorAnswer, namesTag, outputOf, send } from './answer.ts'
import { authenticate, knownUser } from './authenticate.ts'
import { readJsonBody } from './body.ts'
import type { Edge, Route } from './equipment.ts'

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
      const { certificate } = this.#turn.peer
      const user = knownUser(this.#edge, head, certificate)
      if (user === 'unknown')
        void authenticate(this.#edge, head, certificate).then(
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
      const route = this.#route as Route
      this.#user = user
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
    const { corsOrigins } = this.#edge
    if (corsOrigins.size === 0) return
    // Also where there is no origin: a shared cache must not give that answer to a browser.
    this.#headers.push('vary', 'Origin')
    if (origin === undefined || !corsOrigins.has(origin)) return
    this.#isCors = true
    this.#headers.push('access-control-allow-origin', origin, 'access-control-expose-headers', EXPOSED)
  }

  #countAddress(): void {
    this.#count(this.#edge.limits.address, addressGroup(this.#address))
  }

  /** Pages of the gateway itself, and what browsers ask before they ask. */
  #page(head: RequestHead): Answer | undefined {
    const { method } = this.#turn
    if (method === 'OPTIONS') return this.#options(head)
    return method === 'GET' || method === 'HEAD' ? this.#edge.pages(head.path) : undefined
  }

  #options({ path, corsMethod }: RequestHead): Answer {
    const allowed = this.#allowedMethods(path)
    if (corsMethod === undefined || !this.#isCors) return emptyAnswer(204, ['allow', allowed])
    return emptyAnswer(204, [
      'access-control-allow-methods',
      allowed,
      'access-control-allow-headers',
      'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, X-Api-Key, X-Request-Id',
      'access-control-max-age',
      '600',
    ])
  }

  #match({ path }: RequestHead): RouteMatch {
    const { method } = this.#turn
    const hit = this.#edge.router.find(method === 'HEAD' ? 'GET' : method, path)
    // A stream has no end that its length could be told of.
    if (hit !== undefined && !(method === 'HEAD' && hit.operation.kind === 'stream')) return hit
    const allowed = this.#allowedMethods(path)
    this.#headers.push('allow', allowed)
    throw new FlotillaError('unimplemented', `This path takes ${allowed}.`, { status: 405, executed: 'no' })
  }

  /** As the field `Allow` names them. */
  #allowedMethods(path: string): string {
    const { router, pages } = this.#edge
    const methods = pages(path) === undefined ? router.allowedMethods(path) : ['GET']
    if (methods.length === 0)
      throw new FlotillaError('not_found', 'There is nothing at this path.', { executed: 'no' })
    const isStream = router.find('GET', path)?.operation.kind === 'stream'
    const withHead = methods.includes('GET') && !isStream ? ['HEAD', ...methods] : methods
    return ['OPTIONS', ...withHead].join(', ')
  }

  #countCaller(): void {
    const { anonymous: perAddress, tiers } = this.#edge.limits
    const user = this.#user
    if (user === undefined) this.#count(perAddress, addressGroup(this.#address))
    else if (!user.roles.some((role) => UNLIMITED_ROLES.includes(role))) {
      const limit = tiers.get(user.tier)
      if (limit !== undefined) this.#count(limit, user.id)
    }
  }

  /** The same rule the service applies; here it saves the way there. */
  #authorise({ operation }: Route, caller: Caller): void {
    const denied = refusal(operation.access, caller, operation.scope)
    if (denied === undefined) return
    const message = denied === 'unauthenticated' ? 'Please log in.' : 'This is not allowed to you.'
    throw new FlotillaError(denied, message, { executed: 'no' })
  }

  #countStrict(route: Route, input: unknown): void {
    if (route.strictKeyOf === undefined) return
    const { strict } = this.#edge.limits
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
    const context = {
      caller,
      deadlineMs: this.#startMs + operation.timeoutMs,
      requestId: this.#requestId,
      trace: this.#trace,
      criticality: operation.criticality,
      cancellation: this.#cancellation,
    }
    const options = head.idempotencyKey === undefined ? {} : { idempotencyKey: head.idempotencyKey }
    if (operation.kind === 'stream') {
      const items = route.passOn.stream(input, context, options)
      this.#stream(items)
      return
    }
    const preference = operation.rest && preferenceOf(operation.rest, input)
    route.passOn.call(input, context, options, (reply) => {
      if (preference !== undefined) this.#headers.push('preference-applied', preference)
      if (reply.error === undefined) this.#end(this.#success(route, head, reply))
      else this.#fail(reply.error)
    })
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

  #success(route: Route, head: RequestHead, reply: Reply): Answer {
    const rest = route.operation.rest as NonNullable<Route['operation']['rest']>
    const { etag, acceptedWhile } = rest
    if (reply.isReplayed) this.#headers.push('idempotent-replayed', 'true')
    if (rest.status === 204) return emptyAnswer(204)
    const body = reply.json ?? JSON.stringify(reply.output)
    // Somebody who is known may see more than others: what they get is for no shared cache.
    const cacheControl = this.#user === undefined ? route.cacheControl : route.cacheControlOfUsers
    // Where the answer has to be looked into, its bytes are read.
    const isLookedInto = etag !== undefined || acceptedWhile !== undefined
    const output = isLookedInto ? outputOf(reply) : {}
    if (etag !== undefined) {
      const tag = entityTag(output[etag], body)
      this.#headers.push('etag', tag)
      const isUnchanged = route.operation.kind === 'query' && namesTag(head.ifNoneMatch, tag)
      if (isUnchanged) return { ...emptyAnswer(304), cacheControl }
    }
    const status = statusOf(rest, output)
    return { status, contentType: 'application/json', body, cacheControl, headers: [] }
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
    const all =
      this.#headers.length === 0 ? answer : { ...answer, headers: [...this.#headers, ...answer.headers] }
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
      peer: this.#turn.peer,
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
