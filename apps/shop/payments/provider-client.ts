/**
 * Asking the payment provider.
 *
 * What it says comes in three kinds. A *charge* tells all that happened to it, each thing under the name we gave it; such a thing
 * never unhappens, so a charge may be believed whenever and however it comes, late or twice. A *refusal* is a definite no. All
 * else (no answer, 429, 5xx, an answer that is not understood) is *unknown*: it says nothing about what became of the request.
 * That the provider does not have something is no answer either: our request may still be on its way.
 *
 * @module
 */
import { isFlotillaError } from '@flotilla/core/error'
import type { HttpClient, HttpRequest, HttpResponse } from '@flotilla/core/http-client'
import { parseUntrustedJson } from '@flotilla/core/json'
import { lazyCheck, type Static, type TSchema, Type } from '@flotilla/core/schema'
import type { TraceContext } from '@flotilla/core/trace-context'
import type { ClaimedOperation } from './attempt-store.ts'

/** What the shop reads of a charge. */
export const Charge = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 255 }),
  /** The attempt's id. */
  reference: Type.String({ minLength: 1, maxLength: 255 }),
  status: Type.String(),
  currency: Type.String(),
  declineCode: Type.Union([Type.String({ maxLength: 100 }), Type.Null()]),
  card: Type.Object({
    brand: Type.String({ maxLength: 50 }),
    last4: Type.String({ pattern: '^[0-9]{4}$' }),
    expiry: Type.String({ pattern: '^[0-9]{4}-[0-9]{2}$' }),
  }),
  entries: Type.Array(
    Type.Object({
      /** The operation's id. */
      reference: Type.String(),
      kind: Type.String(),
      amount: Type.Integer(),
    }),
  ),
})

/** A charge. */
export type Charge = Static<typeof Charge>

const Answer = Type.Object({
  charge: Type.Optional(Charge),
  error: Type.Optional(Type.Object({ code: Type.String({ maxLength: 100 }) })),
})
const Found = Type.Object({ items: Type.Array(Charge) })
const LedgerRow = Type.Object({
  position: Type.Integer({ minimum: 1 }),
  chargeReference: Type.String(),
  reference: Type.String(),
  kind: Type.String(),
  amount: Type.Integer(),
  currency: Type.String(),
})
const Ledger = Type.Object({ items: Type.Array(LedgerRow) })

/** A row of the provider's ledger. */
export type LedgerRow = Static<typeof LedgerRow>

const checks = new Map<TSchema, ReturnType<typeof lazyCheck>>(
  [Answer, Found, Ledger].map((schema) => [schema, lazyCheck(schema)]),
)

/** What the provider says to a request. */
export type Said =
  | { readonly kind: 'charge'; readonly charge: Charge }
  | { readonly kind: 'refusal'; readonly code: string; readonly charge: Charge | undefined }
  | Unknown

/** No answer, or none that says anything. */
export interface Unknown {
  readonly kind: 'unknown'
  readonly why: string
  /** How long the provider wants to be left alone. */
  readonly waitMs: number
}

/** Statuses that are a definite no. 400, 401 and 404 are mistakes of ours: nothing to conclude about money from. */
const REFUSALS: ReadonlySet<number> = new Set([402, 409, 422])

/** On whose behalf the provider is asked. */
export interface Asking {
  /** How long it may take for an answer. */
  readonly timeoutMs: number
  readonly trace: TraceContext
}

/** What a client is made of. */
export interface ProviderClientOptions {
  readonly http: HttpClient
  /** An origin. */
  readonly url: string
  readonly key: string
}

/** Speaks the provider's language; never throws for what the provider does. */
export class ProviderClient {
  readonly #options: ProviderClientOptions

  constructor(options: ProviderClientOptions) {
    this.#options = options
  }

  /** Asks for an operation; a repeat is known by the operation's id. */
  async ask(operation: ClaimedOperation, asking: Asking): Promise<Said> {
    const { id, kind, amount, currency, paymentToken: token, chargeId, orderId: order } = operation
    const path =
      kind === 'authorise' ? '/v1/charges' : `/v1/charges/${encodeURIComponent(chargeId ?? '')}/${kind}`
    const movement = kind === 'void' ? { reference: id } : { amount, reference: id }
    const body = kind === 'authorise' ? { ...movement, token, currency, order } : movement
    const answer = await this.#send('POST', path, asking, JSON.stringify(body), id)
    if (isUnknown(answer)) return answer
    const { status } = answer
    const said = read<Static<typeof Answer>>(Answer, answer.body)
    if (said === undefined) return unknown(`${status}, not understood`, answer)
    const { charge, error } = said
    if (status < 300 && charge !== undefined) return { kind: 'charge', charge }
    if (REFUSALS.has(status) && error !== undefined) return { kind: 'refusal', code: error.code, charge }
    return unknown(`${status} ${error?.code ?? ''}`, answer)
  }

  /** The charges of an attempt, oldest first. More than one only where the provider does not know repeats. */
  async find(attemptId: string, asking: Asking): Promise<readonly Charge[] | Unknown> {
    const path = `/v1/charges?reference=${encodeURIComponent(attemptId)}`
    return this.#items<Charge>(Found, path, asking)
  }

  /** Rows of the provider's ledger after `position`, in order. */
  async ledger(position: number, limit: number, asking: Asking): Promise<readonly LedgerRow[] | Unknown> {
    return this.#items<LedgerRow>(Ledger, `/v1/ledger?after=${position}&limit=${limit}`, asking)
  }

  async #items<T>(schema: TSchema, path: string, asking: Asking): Promise<readonly T[] | Unknown> {
    const answer = await this.#send('GET', path, asking)
    if (isUnknown(answer)) return answer
    const page = answer.status === 200 ? read<{ items: readonly T[] }>(schema, answer.body) : undefined
    return page?.items ?? unknown(String(answer.status), answer)
  }

  async #send(
    method: HttpRequest['method'],
    path: string,
    asking: Asking,
    body?: string,
    idempotencyKey?: string,
  ): Promise<HttpResponse | Unknown> {
    const { http, url, key } = this.#options
    const headers: Record<string, string> = { authorization: `Bearer ${key}` }
    if (body !== undefined) headers['content-type'] = 'application/json'
    if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey
    try {
      const request = { method, url: `${url}${path}`, headers, ...asking }
      return await http.send(body === undefined ? request : { ...request, body })
    } catch (error) {
      // What else is thrown is a mistake of ours.
      if (!isFlotillaError(error)) throw error
      return { kind: 'unknown', why: 'no answer', waitMs: 0 }
    }
  }
}

/** True when there was no answer that says anything. */
export function isUnknown(answer: object): answer is Unknown {
  return 'kind' in answer && answer.kind === 'unknown'
}

function unknown(why: string, { headers }: HttpResponse): Unknown {
  const waitS = Number(headers['retry-after'] ?? 0)
  return { kind: 'unknown', why, waitMs: waitS > 0 && waitS < 3_600 ? waitS * 1000 : 0 }
}

/** What a body says; undefined when it is not what `schema` wants. */
function read<T>(schema: TSchema, body: string): T | undefined {
  try {
    const value = parseUntrustedJson(body)
    return checks.get(schema)?.(value) === undefined ? (value as T) : undefined
  } catch {
    // Not JSON: as good as no answer.
    return undefined
  }
}
