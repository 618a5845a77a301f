/**
 * One request and its answer. The stages call one another in the order in which they stand here, at once wherever nothing has to be
 * waited for; each either goes on or ends the exchange with an answer or a `FlotillaError`.
 *
 * @module
 */
import { type Access, anyone, refusal, user } from '@flotilla/core/access'
import { anonymous, type Caller } from '@flotilla/core/caller'
import { Cancellation } from '@flotilla/core/cancellation'
import type { CallContext } from '@flotilla/core/context'
import { FlotillaError } from '@flotilla/core/error'
import { preferenceOf, readInput } from '@flotilla/core/rest'
import type { RouteMatch } from '@flotilla/core/router'
import type { Reply } from '@flotilla/core/wire'
import type { How } from '../cache/outcome.ts'
import type { Turn } from '../http/turn.ts'
import type { RateLimit, Verdict } from '../limit/rate-limit.ts'
import { addressGroup } from '../match/client-address.ts'
import type { RequestHead } from '../match/request-head.ts'
import type { ToUpstream } from '../policy/gateway-policies.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Answer } from './answer.ts'
import { askGrpc } from './ask-grpc.ts'
import type { Asker } from './asker.ts'
import { authenticate, knownAsker } from './authenticate.ts'
import { readJsonBody } from './body.ts'
import { askWithin, changeBody, tellsOfClient } from './change-body.ts'
import { answerOrigin } from './cors.ts'
import { type Count, callerCounts, limitFields, strictCounts, tooMany } from './counts.ts'
import { chosenRoute, type RoutePlan, refusalBy } from './edge-policies.ts'
import type { Edge } from './equipment.ts'
import { allowedMethods, findOperation, optionsAnswer } from './find-operation.ts'
import { askCache, keptAnswer } from './from-cache.ts'
import { relay } from './relay.ts'
import { RequestRecord } from './request-record.ts'
import type { Route } from './route.ts'
import { sendStream } from './send-stream.ts'
import { Sender } from './sender.ts'
import { successAnswer } from './success-answer.ts'
import { tunnel } from './tunnel.ts'

/** An exchange. */
export class Exchange {
  readonly #edge: Edge
  readonly #turn: Turn
  readonly #record: RequestRecord
  readonly #sender: Sender
  readonly #cancellation = new Cancellation()
  #isCors = false

  constructor(edge: Edge, turn: Turn) {
    this.#edge = edge
    this.#turn = turn
    this.#record = new RequestRecord(edge, turn)
    this.#sender = new Sender(edge, turn, this.#record)
  }

  /** Runs it to its end; never throws. What can be done at once is: most requests bring a token that was checked before. */
  run(): void {
    try {
      const head = this.#readHead()
      const { address } = this.#edge.policies.now.limits
      this.#count([[address, addressGroup(this.#record.address)]], () => this.#find(head))
    } catch (error) {
      this.#sender.fail(error)
    }
  }

  /** What is asked for, and who asks. */
  #find(head: RequestHead): void {
    try {
      const page = this.#page(head)
      if (page !== undefined) return this.#sender.end(page)
      const match = this.#match(head)
      this.#checkLoad(match)
      const its = this.#sender.plan?.policy.upstream?.keepsAuthorization
        ? undefined
        : knownAsker(this.#edge, this.#turn, head, match?.operation)
      if (its === 'unknown')
        void authenticate(this.#edge, this.#turn, head, match?.operation).then(
          (found) => this.#goOn(head, match, found),
          (error: unknown) => this.#sender.fail(error),
        )
      else this.#goOn(head, match, its)
    } catch (error) {
      this.#sender.fail(error)
    }
  }

  /** Before tokens are checked and bodies read. Streams are let in: they would only come back at once. */
  #checkLoad(match: RouteMatch | undefined): void {
    if (match?.operation.kind === 'stream') return
    const { criticality = match?.operation.criticality ?? 'critical' } = this.#sender.plan?.policy ?? {}
    const refused = this.#edge.runtime.refusal(criticality)
    if (refused) throw refused
  }

  /** From when it is known who asks. */
  #goOn(head: RequestHead, match: RouteMatch | undefined, asker: Asker | undefined): void {
    try {
      const its = asker?.user
      this.#record.asker = asker
      if (match === undefined)
        return this.#countCaller(() => this.#relay(head, this.#sender.plan as RoutePlan))
      const { random } = this.#edge.runtime
      const route = chosenRoute(
        this.#sender.plan,
        this.#record.route as Route,
        its,
        this.#record.address,
        random,
      )
      this.#record.route = route
      const caller = its === undefined ? anonymous : this.#edge.userTokens.callerOf(its)
      this.#countCaller(() => this.#read(route, head, match, caller))
    } catch (error) {
      this.#sender.fail(error)
    }
  }

  /** From when it is known that they may ask so often. */
  #read(route: Route, head: RequestHead, match: RouteMatch, caller: Caller): void {
    this.#authorise(route, caller)
    this.#admit(head)
    if (this.#askCache(route, head, match.parameters)) return
    if (!route.operation.rest?.hasBody) return this.#ask(route, head, match, undefined, caller)
    void readJsonBody(this.#turn, head, this.#sender.plan?.policy.request, this.#record)
      .then((body) => this.#ask(route, head, match, body, caller))
      .catch((error: unknown) => this.#sender.fail(error))
  }

  /** Has a foreign server answer. */
  #relay(head: RequestHead, { policy, upstream, grpc }: RoutePlan): void {
    const record = this.#record
    record.upstream = (policy.grpc ?? (policy.upstream as ToUpstream)).name
    const caller = { user: record.user, service: undefined, token: undefined }
    this.#checkAccess(policy.access === 'anyone' ? anyone : user, caller, `gateway:${record.upstream}`)
    this.#admit(head)
    const options = {
      turn: this.#turn,
      head,
      record,
      cancellation: this.#listenForHangUp(),
      headersWith: (theirs: readonly string[]) => this.#sender.headersWith(theirs),
      onFail: (error: unknown) => this.#sender.fail(error),
    }
    if (grpc !== undefined)
      return askGrpc(this.#edge, { ...options, policy, plan: grpc, onEnd: (its) => this.#sender.end(its) })
    const answer = head.isWebSocket ? tunnel : relay
    answer(this.#edge, upstream as Upstream, policy.upstream as ToUpstream, options)
  }

  #ask(route: Route, head: RequestHead, { parameters }: RouteMatch, body: unknown, caller: Caller): void {
    const { search, ifMatch, prefer } = head
    const cookie = route.browsing?.cookieOf(head)
    const provenKey = this.#record.asker?.provenKey
    const request = { parameters, search, ifMatch, prefer, cookie, provenKey, body }
    const input = readInput(route.operation, request)
    const counts = strictCounts(this.#edge.policies.now.limits, route, input, this.#record.address)
    this.#count(counts, () => this.#call(route, head, input, caller))
  }

  /** What a request claims to be, read strictly; what is ambiguous goes no further, and neither does its connection. */
  #readHead(): RequestHead {
    const { head } = this.#turn
    if ('why' in head) {
      this.#record.refused()
      const code = head.status >= 500 ? 'unimplemented' : 'invalid_argument'
      throw new FlotillaError(code, head.why, { status: head.status, executed: 'no' })
    }
    this.#record.headed(head)
    this.#isCors = answerOrigin(this.#edge.policies.now, head.origin, this.#sender.headers)
    return head
  }

  /** Pages of the gateway itself, and what browsers ask before they ask. */
  #page(head: RequestHead): Answer | undefined {
    const { method } = this.#turn
    if (method === 'OPTIONS') return optionsAnswer(this.#edge, head, this.#isCors)
    return method === 'GET' || method === 'HEAD' ? this.#edge.pages(head.path) : undefined
  }

  /** The operation that is meant; undefined: a foreign server is asked. */
  #match(head: RequestHead): RouteMatch | undefined {
    const { method } = this.#turn
    const { routes } = this.#edge.policies.now
    const hit = findOperation(this.#edge, method, head.path)
    if (hit?.operation.deprecated) this.#sender.headers.push(...this.#record.endOf(hit))
    this.#sender.plan =
      hit === undefined ? routes.findForeign(method, head) : routes.find(hit.operation, method, head)
    const refused = this.#sender.plan && refusalBy(this.#sender.plan.policy)
    if (refused !== undefined) throw refused
    if (this.#sender.plan?.upstream ?? this.#sender.plan?.grpc) return undefined
    if (head.isWebSocket)
      throw new FlotillaError('unimplemented', 'There is no WebSocket here.', { status: 501, executed: 'no' })
    if (hit === undefined) throw this.#notTaken(allowedMethods(this.#edge, head))
    this.#record.route = this.#edge.routes.get(hit.operation) as Route
    return hit
  }

  #notTaken(allowed: string | undefined): FlotillaError {
    if (allowed === undefined)
      return new FlotillaError('not_found', 'There is nothing at this path.', { executed: 'no' })
    this.#sender.headers.push('allow', allowed)
    return new FlotillaError('unimplemented', `This path takes ${allowed}.`, { status: 405, executed: 'no' })
  }

  #countCaller(goOn: () => void): void {
    const { user: its, address } = this.#record
    this.#count(callerCounts(this.#edge.policies.now.limits, this.#sender.plan ?? {}, its, address), goOn)
  }

  /** The same rule the service applies; here it saves the way there. */
  #authorise({ operation }: Route, caller: Caller): void {
    this.#checkAccess(operation.access, caller, operation.scope)
  }

  #checkAccess(access: Access, caller: Caller, scope: string): void {
    const roles = this.#sender.plan?.policy.roles
    const denied =
      refusal(access, caller, scope) ?? (roles && refusal({ kind: 'role', roles }, caller, scope))
    if (denied === undefined) return
    const message = denied === 'unauthenticated' ? 'Please log in.' : 'This is not allowed to you.'
    throw new FlotillaError(denied, message, { executed: 'no' })
  }

  /** Where there is a waiting room. */
  #admit(head: RequestHead): void {
    const { entry } = this.#sender.plan ?? {}
    if (entry === undefined) return
    const { user: its, address } = this.#record
    this.#edge.waitingRooms.admit(entry, { head, user: its, address }, this.#sender)
  }

  /** True when the answer is one that the gateway keeps, or would keep. What the operator changes on its way is not. */
  #askCache(route: Route, head: RequestHead, parameters: RouteMatch['parameters']): boolean {
    if (this.#sender.plan?.policy.response !== undefined) return false
    const record = this.#record
    const tell = (how: How, status: string): void => {
      record.cache = how
      this.#sender.headers.push('cache-status', status)
    }
    const { user: its, requestId, trace } = record
    const asker = { user: its, requestId, trace, parameters, client: () => this.#listenForHangUp() }
    return askCache(route, head, asker, {
      bypassed: (status) => tell('bypass', status),
      answered: (outcome) => {
        tell(outcome.how, outcome.status)
        if (outcome.error === undefined) this.#sender.end(keptAnswer(route, head, outcome))
        else this.#sender.fail(outcome.error)
      },
    })
  }

  /** What stops when the client leaves before it has its answer. */
  #listenForHangUp(): Cancellation {
    const turn = this.#turn
    // While the token was checked or the body read; its event is over.
    if (turn.isOver) throw new FlotillaError('canceled', 'The client hung up.', { executed: 'no' })
    turn.onHangUp = () => this.#cancellation.cancel(new FlotillaError('canceled', 'The client hung up.'))
    return this.#cancellation
  }

  #call(route: Route, head: RequestHead, input: unknown, caller: Caller): void {
    const { operation } = route
    this.#listenForHangUp()
    const { timeoutMs = operation.timeoutMs, criticality = operation.criticality } =
      this.#sender.plan?.policy ?? {}
    const context = {
      caller,
      deadlineMs: this.#record.startMs + timeoutMs,
      requestId: this.#record.givenId,
      trace: this.#record.trace,
      criticality,
      cancellation: this.#cancellation,
    }
    const options = head.idempotencyKey === undefined ? {} : { idempotencyKey: head.idempotencyKey }
    if (operation.kind === 'stream') {
      const items = route.passOn.stream(input, context, options)
      const stops = { turn: this.#turn, record: this.#record, cancellation: this.#cancellation }
      return sendStream(this.#edge, items, {
        ...stops,
        headersWith: (own) => this.#sender.headersWith(own),
        onFail: (error) => this.#sender.fail(error),
      })
    }
    const compare = this.#mirror(input, context)
    route.passOn.call(input, context, options, (reply) => {
      try {
        compare?.(reply)
        this.#answered(route, head, input, context, reply)
      } catch (error) {
        this.#sender.fail(error)
      }
    })
  }

  #answered(route: Route, head: RequestHead, input: unknown, context: CallContext, reply: Reply): void {
    const { rest } = route.operation
    route.onCommand?.(input, reply)
    const preference = rest && preferenceOf(rest, input)
    if (preference !== undefined) this.#sender.headers.push('preference-applied', preference)
    if (reply.error !== undefined) return this.#sender.fail(reply.error)
    const end = (changed?: unknown): void => {
      const isKnown = this.#record.user !== undefined
      this.#sender.end(successAnswer(route, head.ifNoneMatch, reply, isKnown, changed))
    }
    const { policy, sources } = this.#sender.plan ?? {}
    if (policy?.response === undefined || sources === undefined) return end()
    this.#sender.isForOne ||= tellsOfClient(policy.response)
    const body = changeBody(policy.response, reply.value, this.#record, askWithin(sources, context))
    if (body instanceof Promise) body.then(end).catch((error: unknown) => this.#sender.fail(error))
    else end(body)
  }

  /** Asks somebody else the same, if the operator wants that; what it gives takes the answer, to compare. */
  #mirror(input: unknown, context: CallContext): ((reply: Reply) => void) | undefined {
    const { mirror, policy } = this.#sender.plan ?? {}
    if (mirror === undefined || this.#edge.runtime.random.next() >= (policy?.mirror?.share ?? 1))
      return undefined
    return this.#edge.mirror.call(mirror, input, context)
  }

  /** Goes on when every limit allows it, from the one at `start` on: at once, or when other gateways have been heard. */
  #count(counts: readonly Count[], goOn: () => void, start = 0): void {
    for (let index = start; index < counts.length; index++) {
      const [limit, key] = counts[index] as Count
      const verdict = limit.take(key)
      if (verdict instanceof Promise) {
        verdict
          .then((its) => {
            this.#heed(limit, its)
            this.#count(counts, goOn, index + 1)
          })
          .catch((error: unknown) => this.#sender.fail(error))
        return
      }
      this.#heed(limit, verdict)
    }
    goOn()
  }

  #heed(limit: RateLimit, verdict: Verdict): void {
    if (verdict.isAllowed) return
    this.#sender.headers.push(...limitFields(limit, verdict))
    throw tooMany(verdict)
  }
}
