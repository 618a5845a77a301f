/**
 * What becomes of one request: how long it waits, and what goes wrong before and after its effect.
 *
 * @module
 */
import { isoTime } from '@flotilla/core/clock'
import type { Random } from '@flotilla/core/random'
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import type { Profile } from './profile.ts'

/** A moment at which a request may go wrong: `hang` is never answered, `cut` loses its connection. */
export type Mishap = 'none' | 'hang' | 'error' | 'busy' | 'cut'

/** A request's fate. */
export interface Fate {
  readonly delayMs: number
  /** Instead of an effect. */
  readonly before: Mishap
  /** Instead of an answer, the effect having happened. */
  readonly after: Mishap
}

const fine: Fate = { delayMs: 0, before: 'none', after: 'none' }
const SLOW_MS = 3_000
/** The 99 % quantile of the standard normal distribution. */
const NORMAL_P99 = 2.326

/** Draws the fate of a request; `nowMs` is wall-clock time. */
export function drawFate(profile: Profile, random: Random, nowMs: number): Fate {
  if (profile.isInstant) return fine
  if (profile.outageUntil !== undefined && isoTime(nowMs) < profile.outageUntil) {
    return { ...fine, before: 'cut' }
  }
  const delayMs = drawLatencyMs(profile, random)
  let chance = random.next()
  const falls = (share: number): boolean => {
    chance -= share
    return chance < 0
  }
  if (falls(profile.timeoutAfterShare)) return { ...fine, delayMs, after: 'hang' }
  if (falls(profile.timeoutBeforeShare)) return { ...fine, delayMs, before: 'hang' }
  if (falls(profile.errorShare / 2)) return { ...fine, delayMs, before: 'error' }
  if (falls(profile.errorShare / 2)) return { ...fine, delayMs, after: 'error' }
  if (falls(profile.busyShare)) return { ...fine, delayMs, before: 'busy' }
  return { ...fine, delayMs }
}

/** Lognormal. @source Box and Muller (1958) for the normal variate */
function drawLatencyMs({ latencyMedianMs, latencyP99Ms }: Profile, random: Random): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
  const sigma = Math.max(0, Math.log(latencyP99Ms / latencyMedianMs) / NORMAL_P99)
  return latencyMedianMs * Math.exp(sigma * normal)
}

/** What the odd test tokens do to an authorisation, on top of `fate`. */
export async function fateOfToken(
  fate: Fate,
  db: Session,
  token: string,
  reference: string,
  { unknownMs }: Profile,
): Promise<Fate> {
  switch (token) {
    case 'tok_slow':
      return { ...fate, delayMs: fate.delayMs + SLOW_MS }
    case 'tok_error_once':
      return (await isFirstSight(db, reference)) ? { ...fate, before: 'error' } : fate
    case 'tok_timeout_after_charge':
      return (await isFirstSight(db, reference)) ? { ...fate, after: 'hang' } : fate
    case 'tok_unknown':
      await isFirstSight(db, reference, true)
      return (await isHidden(db, reference, unknownMs)) ? { ...fate, after: 'hang' } : fate
    default:
      return fate
  }
}

async function isFirstSight(db: Session, reference: string, isHidden = false): Promise<boolean> {
  const seen = await db.execute(sql`
    insert into odd_reference (reference, is_hidden) values (${reference}, ${isHidden})
    on conflict do nothing`)
  return seen === 1
}

/** True while nobody may know what became of the authorisation `reference`, because it was asked for with `tok_unknown`. */
export async function isHidden(db: Session, reference: string, unknownMs: number): Promise<boolean> {
  const { hidden } = await db.one<{ hidden: boolean }>(sql`
    select exists (select from odd_reference where reference = ${reference} and is_hidden
      and seen_at > now() - ${unknownMs} * interval '1 millisecond') as hidden`)
  return hidden
}
