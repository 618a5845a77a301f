/**
 * The keys that access tokens are signed with: made here, kept in the database with the private part sealed, the same for all
 * instances of the service.
 *
 * A key signs for thirty days. Its successor is made and published a day before it takes over, so that everybody who keeps
 * the published keys for some minutes knows it by then; and a day after that the old key is withdrawn, when what it signed has long run out.
 * Each instance looks once a minute whether a successor is due. When several make it at the same time, the unique ordinal lets one
 * of them win, and the others read what it made.
 *
 * @module
 */
import { isoTime, parseIsoTime } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import type { Context } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import type { Seal } from './sealing.ts'

/** The algorithm of all keys. */
export const ALGORITHM = 'ES256'

const DAY_MS = 24 * 3_600_000
const SIGNING_MS = 30 * DAY_MS
const AHEAD_MS = DAY_MS
const AFTERWARDS_MS = DAY_MS

/** A public key as it is published. */
export type PublicKey = Record<string, string>

/** A key to sign with. */
export interface SigningKey {
  readonly kid: string
  readonly privateKey: CryptoKey
  /** Wall-clock milliseconds. */
  readonly signsFromMs: number
  readonly signsUntilMs: number
}

/** What the keys are read and made with. */
type KeyContext = Pick<Context, 'clock' | 'db' | 'log'>

interface Row {
  readonly kid: string
  readonly ordinal: number
  readonly publicKey: PublicKey
  readonly sealed: Buffer
  readonly signsFrom: string
  readonly signsUntil: string
  readonly publishedUntil: string
}

/** The keys as one instance knows them. */
export class SigningKeys {
  readonly #seal: Seal
  #published: readonly PublicKey[] = []
  #signing: readonly SigningKey[] = []

  constructor(seal: Seal) {
    this.#seal = seal
  }

  /** Everything that a token may be checked with, now or soon; the oldest first. */
  get published(): readonly PublicKey[] {
    return this.#published
  }

  /** @throws FlotillaError `unavailable` when the database could not be read since the last one ran out. */
  current(nowMs: number): SigningKey {
    const key = this.#signing.findLast(
      ({ signsFromMs, signsUntilMs }) => signsFromMs <= nowMs && nowMs < signsUntilMs,
    )
    if (key === undefined) throw new FlotillaError('unavailable', 'There is no key to sign with right now.')
    return key
  }

  /**
   * Reads the keys, and makes the next one when it is due.
   *
   * @throws FlotillaError `failed_precondition` when they were sealed with another secret.
   */
  async refresh(ctx: KeyContext): Promise<void> {
    const nowMs = ctx.clock.now()
    let rows = await readKeys(ctx)
    const newest = rows.at(-1)
    if (newest === undefined || parseIsoTime(newest.signsUntil) - nowMs <= AHEAD_MS) {
      await this.#makeNext(ctx, newest, nowMs)
      rows = await readKeys(ctx)
    }
    const published = rows.filter(({ publishedUntil }) => parseIsoTime(publishedUntil) > nowMs)
    this.#signing = await Promise.all(published.map((row) => this.#open(row)))
    this.#published = published.map(({ publicKey }) => publicKey)
  }

  async #open({ kid, sealed, signsFrom, signsUntil }: Row): Promise<SigningKey> {
    const known = this.#signing.find((key) => key.kid === kid)
    if (known !== undefined) return known
    const jwk = JSON.parse(this.#seal.open(sealed, kid)) as JWK
    return {
      kid,
      privateKey: (await importJWK(jwk, ALGORITHM)) as CryptoKey,
      signsFromMs: parseIsoTime(signsFrom),
      signsUntilMs: parseIsoTime(signsUntil),
    }
  }

  async #makeNext(ctx: KeyContext, newest: Row | undefined, nowMs: number): Promise<void> {
    const pair = await generateKeyPair(ALGORITHM, { extractable: true })
    const { kty, crv, x, y } = await exportJWK(pair.publicKey)
    const kid = await calculateJwkThumbprint({ kty, crv, x, y } as JWK)
    const publicKey = { kty, crv, x, y, kid, alg: ALGORITHM, use: 'sig' }
    const sealed = this.#seal.seal(JSON.stringify(await exportJWK(pair.privateKey)), kid)
    const fromMs = newest === undefined ? nowMs : Math.max(nowMs, parseIsoTime(newest.signsUntil))
    const untilMs = fromMs + SIGNING_MS
    const made = await ctx.db.execute(sql`
      insert into signing_key (kid, ordinal, public_key, sealed_private_key, signs_from, signs_until, published_until)
      values (${kid}, ${(newest?.ordinal ?? 0) + 1}, ${sql.json(publicKey)}, ${sealed},
        ${isoTime(fromMs)}, ${isoTime(untilMs)}, ${isoTime(untilMs + AFTERWARDS_MS)})
      on conflict (ordinal) do nothing`)
    if (made === 1) ctx.log.info('made a signing key', { kid, signsFrom: isoTime(fromMs) })
  }
}

/** All but those that are withdrawn and have been pruned; the newest is always among them. */
function readKeys(ctx: KeyContext): Promise<Row[]> {
  return ctx.db.many(sql`
    select kid, ordinal, public_key as "publicKey", sealed_private_key as sealed, signs_from as "signsFrom",
      signs_until as "signsUntil", published_until as "publishedUntil"
    from signing_key order by ordinal`)
}
