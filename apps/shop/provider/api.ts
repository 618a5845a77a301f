/**
 * The provider's API, as an outside company would document it:
 *
 * | call | does |
 * |---|---|
 * | `POST /vault/tokens` `{number, expiry, cvc}` | turns a card into a token; for browsers, without a key |
 * | `POST /v1/charges` `{token, amount, currency, reference, order?}` | holds money: 201, or 402 when declined; `order` is for the log only |
 * | `POST /v1/charges/{id}/capture` `{amount, reference}` | takes it |
 * | `POST /v1/charges/{id}/void` `{reference}` | lets it go |
 * | `POST /v1/charges/{id}/refund` `{amount, reference}` | gives it back |
 * | `GET /v1/charges/{id}` | the charge |
 * | `GET /v1/charges?reference=R` | charges with something of that reference; also `idempotencyKey=K` |
 * | `GET /v1/ledger?after=N&limit=N` | everything that happened, in order |
 * | `GET` / `PUT` / `DELETE /simulator/profile` | how it behaves; not part of what a provider would offer |
 *
 * All but the vault want `Authorization: Bearer <secret key>`. A repeat with the same `Idempotency-Key` gets the answer of the
 * first one, with the same body only. Refusals are `{error: {code, message}, charge?}`: 400 not understood, 401 no key, 402
 * declined, 404 no such charge, 409 the charge's state does not allow it, 422 an unknown token. 429 and 5xx say nothing
 * about what became of a request.
 *
 * @module
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { isoTime } from '@flotilla/core/clock'
import { crashpoint } from '@flotilla/core/crashpoint'
import { type Random, randomInteger } from '@flotilla/core/random'
import { type Check, lazyCheck, type Static, Type } from '@flotilla/core/schema'
import type { Context } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'
import { CardInput, vaultCard } from './cards.ts'
import {
  authorise,
  type Books,
  capture,
  findByReference,
  findCharge,
  letGo,
  listLedger,
  type Outcome,
  refund,
} from './charges.ts'
import { drawFate, type Fate, fateOfToken, isHidden, type Mishap } from './fate.ts'
import { type FrontAnswer, type FrontRequest, refusal } from './front.ts'
import type { Profile } from './profile.ts'
import { planWebhook } from './webhooks.ts'

/** What answering takes. */
export interface Desk {
  readonly apiKey: string
  readonly hasWebhooks: boolean
  readonly profile: Profile
  /** Of the profile's seed, if it has one. */
  readonly random: Random
}

const Text = Type.String({ minLength: 1, maxLength: 255 })
const Amount = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
const closed = { additionalProperties: false }
const Authorisation = Type.Object(
  {
    token: Text,
    amount: Amount,
    currency: Type.String({ pattern: '^[A-Z]{3}$' }),
    reference: Text,
    /** What the merchant calls what is paid for. */
    order: Type.Optional(Text),
  },
  closed,
)
const Movement = Type.Object({ amount: Amount, reference: Text }, closed)
const Void = Type.Object({ reference: Text }, closed)
const checkAuthorisation = lazyCheck(Authorisation)
const checkMovement = lazyCheck(Movement)
const checkVoid = lazyCheck(Void)
const checkCard = lazyCheck(CardInput)

const PAGE_COUNT_MAX = 1_000
const noPath = refusal(404, 'no_path', 'There is no such path.')

/** Answers a request to the vault or to `/v1`. */
export async function answerApi(ctx: Context, desk: Desk, request: FrontRequest): Promise<FrontAnswer> {
  const fate = drawFate(desk.profile, desk.random, ctx.clock.now())
  if (request.path[0] === 'vault') return suffer(ctx, desk, fate, () => answerVault(ctx, request))
  if (!hasKey(request, desk.apiKey)) return refusal(401, 'no_key', 'Show the secret key.')
  const [, noun, id, verb] = request.path
  if (request.method === 'GET') return suffer(ctx, desk, fate, () => answerQuery(ctx, desk, request))
  if (request.method !== 'POST' || noun !== 'charges') return noPath
  if (id === undefined) return answerAuthorisation(ctx, desk, fate, request)
  const change = changeOf(id, verb, request.body)
  if (change === undefined) return noPath
  if (typeof change !== 'function') return change
  return suffer(ctx, desk, fate, () => once(ctx, desk, request, 0, change))
}

/** True when the request shows the secret key. */
export function hasKey({ authorization = '' }: FrontRequest, apiKey: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(authorization), digest(`Bearer ${apiKey}`))
}

/** Waits, and lets go wrong before and after `work` what is to go wrong. */
async function suffer(
  ctx: Context,
  { random }: Desk,
  fate: Fate,
  work: () => Promise<FrontAnswer>,
): Promise<FrontAnswer> {
  if (fate.delayMs > 0) await ctx.clock.sleep(fate.delayMs)
  if (fate.before !== 'none') return mishap(fate.before, random)
  const answer = await work()
  return fate.after === 'none' ? answer : mishap(fate.after, random)
}

function mishap(kind: Exclude<Mishap, 'none'>, random: Random): FrontAnswer {
  if (kind === 'hang' || kind === 'cut') return kind
  if (kind === 'error') return refusal(500, 'internal', 'Something went wrong.')
  return refusal(429, 'busy', 'Too many requests.', randomInteger(random, 2) + 1)
}

async function answerVault(ctx: Context, { method, path, body }: FrontRequest): Promise<FrontAnswer> {
  if (method !== 'POST' || path[1] !== 'tokens') return noPath
  const wrong = mistakeIn(checkCard, body)
  if (wrong !== undefined) return wrong
  const month = isoTime(ctx.clock.now()).slice(0, 7)
  const card = await vaultCard(ctx.db, ctx.random, month, body as Static<typeof CardInput>)
  return card === undefined
    ? refusal(422, 'bad_card', 'The number is wrong, or the card has run out.')
    : { status: 201, body: card }
}

async function answerQuery(ctx: Context, { profile }: Desk, request: FrontRequest): Promise<FrontAnswer> {
  const { search } = request
  const [, noun, id] = request.path
  if (noun === 'ledger' && id === undefined) {
    const limit = Math.min(Math.max(Number(search.get('limit')) || PAGE_COUNT_MAX, 1), PAGE_COUNT_MAX)
    const items = await listLedger(ctx.db, Number(search.get('after')) || 0, Math.floor(limit))
    return { status: 200, body: { items } }
  }
  if (noun !== 'charges') return noPath
  const reference = search.get('reference') ?? search.get('idempotencyKey')
  if (id === undefined && reference !== null) {
    // Nobody is told anything yet, not even that there is nothing.
    if (await isHidden(ctx.db, reference, profile.unknownMs))
      return refusal(503, 'not_yet', 'Ask again later.')
    return { status: 200, body: { items: await findByReference(ctx.db, reference) } }
  }
  const charge = id === undefined ? undefined : await findCharge(ctx.db, id)
  return charge === undefined ? noPath : { status: 200, body: { charge } }
}

async function answerAuthorisation(
  ctx: Context,
  desk: Desk,
  fate: Fate,
  request: FrontRequest,
): Promise<FrontAnswer> {
  const wrong = mistakeIn(checkAuthorisation, request.body)
  if (wrong !== undefined) return wrong
  const input = request.body as Static<typeof Authorisation>
  const { profile } = desk
  const odd = await fateOfToken(fate, ctx.db, input.token, input.reference, profile)
  const hiddenMs = input.token === 'tok_unknown' ? profile.unknownMs : 0
  return suffer(ctx, desk, odd, () => once(ctx, desk, request, hiddenMs, (books) => authorise(books, input)))
}

type Change = (books: Books) => Promise<Outcome>

/** What a request to change a charge asks for; the refusal when it is not understood, undefined when there is no such path. */
function changeOf(id: string, verb: string | undefined, body: unknown): Change | FrontAnswer | undefined {
  if (verb !== 'capture' && verb !== 'void' && verb !== 'refund') return undefined
  const wrong = mistakeIn(verb === 'void' ? checkVoid : checkMovement, body)
  if (wrong !== undefined) return wrong
  const { amount, reference } = body as Static<typeof Movement>
  if (verb === 'void') return (books) => letGo(books, id, reference)
  const move = verb === 'capture' ? capture : refund
  return (books) => move(books, id, amount, reference)
}

function mistakeIn(check: Check, body: unknown): FrontAnswer | undefined {
  const [issue] = check(body) ?? []
  return issue && refusal(400, 'bad_request', `${issue.pointer} ${issue.message}`)
}

interface Remembered {
  readonly fingerprint: Uint8Array
  readonly status: number
  readonly body: unknown
}

/** Lets a change take effect once for each idempotency key; a repeat that comes meanwhile waits for the first. */
async function once(
  ctx: Context,
  desk: Desk,
  { path, body, idempotencyKey: key }: FrontRequest,
  hiddenMs: number,
  change: Change,
): Promise<FrontAnswer> {
  const { profile, random, hasWebhooks } = desk
  const webhooks = hasWebhooks ? planWebhook(profile, random, hiddenMs) : undefined
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([path, body]))
    .digest()
  const [, , , verb = 'authorise'] = path
  const answered = await ctx.db.transaction(async (tx) => {
    const isKeyed = key !== undefined && profile.honoursIdempotencyKeys
    const isFirst =
      !isKeyed ||
      (await tx.execute(sql`
      insert into request (key, fingerprint) values (${key}, ${fingerprint}) on conflict do nothing`)) === 1
    if (!isFirst) {
      const known = await tx.one<Remembered>(sql`
        select fingerprint, status, body from request where key = ${key as string}`)
      return fingerprint.equals(known.fingerprint)
        ? { status: known.status, body: known.body }
        : refusal(400, 'key_reused', 'The idempotency key belongs to another request.')
    }
    const { status, refusal: error, charge } = await change({ tx, newId: ctx.newId, webhooks })
    const answer = { status, body: error === undefined ? { charge } : { error, charge } }
    if (isKeyed) {
      await tx.execute(sql`
        update request set status = ${status}, body = ${sql.json(answer.body)} where key = ${key}`)
    }
    const { order, reference } = body as { readonly order?: string; readonly reference: string }
    const about = { order_id: order, reference, charge: charge?.id, status }
    tx.afterCommit(() => ctx.log.info(`asked to ${verb}`, about))
    crashpoint('command.before-commit', 'provider', verb)
    return answer
  })
  crashpoint('command.after-commit', 'provider', verb)
  return answered
}
