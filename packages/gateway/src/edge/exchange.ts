/**
 * One request and its answer. `run` lists the stages in their order; each either goes on or ends the exchange with an answer
 * or a `FlotillaError`.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
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
import type { How } from '../cache/outcome.ts'
import type { RateLimit } from '../limit/rate-limit.ts'
import { addressGroup } from '../match/client-address.ts'
import { type RequestHead, readHead } from '../match/request-head.ts'
import { type Answer, commonHeaders, emptyAnswer, errorAnswer, namesTag, outputOf, send } from './answer.ts'
import { readJsonBody } from './body.ts'
import type { Edge, Route } from './equipment.ts'
import { askCache, keptAnswer } from './from-cache.ts'

const REFUSED_PATH_CHARS_MAX = 200
/** Keys of buckets are kept; what they are made of comes from strangers. */
const STRICT_KEY_CHARS_MAX = 256
const UNLIMITED_ROLES = ['admin']
/** What scripts of allowed origins may read of an answer, beside the usual. */
const EXPOSED =
  'Age, Cache-Status, ETag, Idempotent-Replayed, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id'

/** An exchange. */
export class Exchange {
  readonly #edge: Edge
  readonly #incoming: IncomingMessage
  readonly #outgoing: ServerResponse
  readonly #startMs: number
  readonly #trace: TraceContext
  readonly #headers: string[] = []
  readonly #cancellation = new Cancellation()
  #requestId: string | undefined
  #parentTrace: string | undefined
  #userAgent: string | undefined
  #path = ''
  #hasBody = false
  #address = ''
  #user: User | undefined
  #route: Route | undefined
  #isCors = false
  /** What the cache had to do with it. */
  #how: How | undefined

  constructor(edge: Edge, incoming: IncomingMessage, outgoing: ServerResponse) {
    const { clock, random } = edge.runtime
    this.#edge = edge
    this.#incoming = incoming
    this.#outgoing = outgoing
    this.#startMs = clock.monotonicMs()
    this.#trace = TraceContext.start(random, false)
  }

  /** Runs it to its end; never rejects. */
  async run(): Promise<void> {
    try {
      const head = this.#readHead()
      this.#countAddress()
      const page = this.#page(head)
      if (page !== undefined) return this.#end(page)
      const { operation, parameters } = this.#match(head)
      const route = this.#edge.routes.get(operation) as Route
      this.#route = route
      const caller = await this.#authenticate(head)
      this.#countCaller()
      this.#authorise(route, caller)
      if (this.#askCache(route, head, parameters)) return
      const body = route.operation.rest?.hasBody ? await readJsonBody(this.#incoming, head) : undefined
      const { search, ifMatch, prefer } = head
      const input = readInput(operation, { parameters, search, ifMatch, prefer, body })
      this.#countStrict(route, input)
      this.#call(route, head, input, caller)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** What a request claims to be, read strictly; what is ambiguous goes no further, and neither does its connection. */
  #readHead(): RequestHead {
    const { method = '', url = '', httpVersion, rawHeaders, socket } = this.#incoming
    const head = readHead(method, url, httpVersion, rawHeaders)
    if ('why' in head) {
      this.#path = (url.split('?', 1)[0] as string).slice(0, REFUSED_PATH_CHARS_MAX)
      this.#address = this.#edge.addressOf(socket.remoteAddress ?? '', undefined)
      this.#outgoing.shouldKeepAlive = false
      const code = head.status >= 500 ? 'unimplemented' : 'invalid_argument'
      throw new FlotillaError(code, head.why, { status: head.status, executed: 'no' })
    }
    this.#path = head.path
    this.#hasBody = head.hasBody
    this.#requestId = head.requestId
    this.#userAgent = head.userAgent
    // The client's trace is not continued: who may write into ours would decide what is recorded.
    this.#parentTrace = TraceContext.parse(head.traceparent ?? '')?.traceId
    this.#address = this.#edge.addressOf(socket.remoteAddress ?? '', head.forwardedFor)
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
    const { method } = this.#incoming
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
    const { method = '' } = this.#incoming
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

  async #authenticate(head: RequestHead): Promise<Caller> {
    const { accessTokens, apiKeys, userTokens } = this.#edge
    const { authorization, apiKey } = head
    if (authorization === undefined && apiKey === undefined) return anonymous
    if (authorization !== undefined && apiKey !== undefined) {
      throw new FlotillaError('unauthenticated', 'Send an access token or an API key, not both.', {
        executed: 'no',
      })
    }
    if (apiKey === undefined) {
      const token = bearer(authorization as string)
      this.#user = (accessTokens.known(token) ?? (await accessTokens.verify(token))).user
    } else this.#user = await apiKeys.verify(apiKey)
    return userTokens.callerOf(this.#user)
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

  /** True when the answer is one that the gateway keeps, or would keep. */
  #askCache(route: Route, head: RequestHead, parameters: RouteMatch['parameters']): boolean {
    const client = (): Cancellation => this.#cancelOnClose()
    const tell = (how: How, status: string): void => {
      this.#how = how
      this.#headers.push('cache-status', status)
    }
    const asker = { user: this.#user, requestId: this.#requestId, trace: this.#trace, parameters, client }
    return askCache(route, head, asker, {
      bypassed: (status) => tell('bypass', status),
      answered: (outcome) => {
        tell(outcome.how, outcome.status)
        if (outcome.error === undefined) this.#end(keptAnswer(route, head, outcome))
        else this.#fail(outcome.error)
      },
    })
  }

  /** What stops when the client leaves before it has its answer. */
  #cancelOnClose(): Cancellation {
    const outgoing = this.#outgoing
    // While the token was checked or the body read; its event is over.
    if (outgoing.destroyed) throw new FlotillaError('canceled', 'The client hung up.', { executed: 'no' })
    outgoing.on('close', () => {
      if (!outgoing.writableEnded)
        this.#cancellation.cancel(new FlotillaError('canceled', 'The client hung up.'))
    })
    return this.#cancellation
  }

  #call(route: Route, head: RequestHead, input: unknown, caller: Caller): void {
    const { operation } = route
    const outgoing = this.#outgoing
    this.#cancelOnClose()
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
      const { runtime, streams } = this.#edge
      const { clock } = runtime
      const { traceId } = this.#trace
      const headers = [...this.#headers, ...commonHeaders(this.#requestId ?? traceId, this.#trace.toString())]
      // Its head goes out long before it ends; draining must not be left with a connection that was promised to stay.
      outgoing.shouldKeepAlive = false
      streams.add(this.#cancellation)
      outgoing.on('close', () => streams.delete(this.#cancellation))
      void sendEvents(outgoing, items, {
        clock,
        cancellation: this.#cancellation,
        headers,
        problemOf: (error) => problemOf(error, traceId),
      })
        .then((bytes) => this.#log(200, bytes, undefined))
        .catch((error: unknown) => this.#fail(error))
      return
    }
    const preference = operation.rest && preferenceOf(operation.rest, input)
    route.passOn.call(input, context, options, (reply) => {
      route.onCommand?.(input, reply)
      if (preference !== undefined) this.#headers.push('preference-applied', preference)
      if (reply.error === undefined) this.#end(this.#success(route, head, reply))
      else this.#fail(reply.error)
    })
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
    if (this.#outgoing.headersSent) {
      this.#outgoing.destroy()
      this.#log(known.status, 0, known)
      return
    }
    this.#end(errorAnswer(known, this.#trace.traceId), known)
  }

  #end(answer: Answer, error?: FlotillaError): void {
    const all =
      this.#headers.length === 0 ? answer : { ...answer, headers: [...this.#headers, ...answer.headers] }
    // A body that was not read would be taken for the next request; and who leaves keeps no connection.
    if ((this.#hasBody && !this.#incoming.complete) || this.#edge.runtime.isDraining())
      this.#outgoing.shouldKeepAlive = false
    const bytes = send(this.#outgoing, all, this.#requestId ?? this.#trace.traceId, this.#trace.toString())
    this.#log(answer.status, bytes, error)
  }

  #log(status: number, bytes: number, error: FlotillaError | undefined): void {
    const { accessLog, metrics, runtime } = this.#edge
    const durationMs = runtime.clock.monotonicMs() - this.#startMs
    const { method = '' } = this.#incoming
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
      cache: this.#how,
      error: status >= 500 ? error?.message : undefined,
    })
  }
}

function bearer(authorization: string): string {
  if (/^bearer /i.test(authorization)) return authorization.slice('bearer '.length)
  throw new FlotillaError('unauthenticated', 'Send the access token as: Authorization: Bearer …', {
    executed: 'no',
  })
}
