/**
 * A login at an identity provider, while the browser is away there.
 *
 * All that has to be known when it comes back is in a cookie of that browser, sealed: nothing is stored for who only sets out, and no
 * other browser can come back in its place. It is good for ten minutes and for one return, which is what is remembered.
 *
 * @module
 */
import type { Random } from '@flotilla/core/random'
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import type { Seal } from './sealing.ts'
import { digest, newSecret } from './secrets.ts'

/** How long somebody may be away. */
export const FLOW_MS = 10 * 60_000

/** What has to be known at the return. */
export interface Flow {
  readonly provider: string
  readonly state: string
  readonly nonce: string
  /** Of the proof key (PKCE). */
  readonly verifier: string
  readonly returnTo: string
  /** Wall-clock milliseconds. */
  readonly expiresAtMs: number
}

const SECRET_BYTES = 32
const SEAL_NAME = 'login at an identity provider'

/** Sets out. */
export function newFlow(random: Random, nowMs: number, provider: string, returnTo: string): Flow {
  return {
    provider,
    state: newSecret(random, SECRET_BYTES),
    nonce: newSecret(random, SECRET_BYTES),
    verifier: newSecret(random, SECRET_BYTES),
    returnTo,
    expiresAtMs: nowMs + FLOW_MS,
  }
}

/** What PKCE shows of the verifier: method S256. */
export function challengeOf({ verifier }: Flow): string {
  return digest(verifier).toString('base64url')
}

/** As a cookie keeps it. */
export function sealFlow(seal: Seal, flow: Flow): string {
  return seal.seal(JSON.stringify(flow), SEAL_NAME).toString('base64url')
}

/** Undefined when it was not sealed by us, or the time is over. */
export function openFlow(seal: Seal, text: string, nowMs: number): Flow | undefined {
  try {
    const flow = JSON.parse(seal.open(Buffer.from(text, 'base64url'), SEAL_NAME)) as Flow
    return flow.expiresAtMs > nowMs ? flow : undefined
  } catch {
    // Whatever is wrong with it, we did not make it.
    return undefined
  }
}

/** Takes a return as the first with this state; false when it is not. */
export async function claimReturn(db: Pick<Session, 'execute'>, { state }: Flow): Promise<boolean> {
  const claimed = await db.execute(sql`
    insert into finished_login (state_hash) values (${digest(state)}) on conflict do nothing`)
  return claimed === 1
}

const LOCAL_PATH = /^\/[A-Za-z0-9._~!$&'()*+,;=:@%/?#[\]-]*$/
const PATH_CHARS_MAX = 1_000

/**
 * Whether a text is a path of this site, by whichever browser's reading: no scheme, no host, no backslash, no control characters,
 * and nothing in it that could be read as a host.
 */
export function isLocalPath(text: string): boolean {
  return text.length <= PATH_CHARS_MAX && LOCAL_PATH.test(text) && !text.includes('//')
}
