/**
 * A login at an identity provider, while the browser is away there.
 *
 * All that has to be known when it comes back is in a cookie of that browser, sealed: nothing is stored for who only sets out, and no
 * other browser can come back in its place. It is good for ten minutes and for one return, which is what is remembered.
 *
 * A browser that then goes on to a page of ours takes its session there in the same way: no token is in an address, where histories and
 * logs would keep it. The page asks for it within two minutes, which uses the refresh token up, and so does once.
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
  /** A path of this site; undefined: the session is the answer. */
  readonly returnTo: string | undefined
  /** Wall-clock milliseconds. */
  readonly expiresAtMs: number
}

const SECRET_BYTES = 32
const SEAL_NAME = 'login at an identity provider'
/** How long a session waits for its page. */
const WAITING_MS = 2 * 60_000
const WAITING_NAME = 'session that waits for its page'

/** Sets out. */
export function newFlow(random: Random, nowMs: number, provider: string, returnTo: string | undefined): Flow {
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
  return sealed(seal, flow, SEAL_NAME)
}

/** Undefined when it was not sealed by us, or the time is over. */
export function openFlow(seal: Seal, text: string, nowMs: number): Flow | undefined {
  return opened<Flow>(seal, text, SEAL_NAME, nowMs)
}

/** What the browser keeps on its way from the return to a page of ours: the refresh token of its session, sealed. */
export function sealWaiting(seal: Seal, refreshToken: string, nowMs: number): string {
  return sealed(seal, { refreshToken, expiresAtMs: nowMs + WAITING_MS }, WAITING_NAME)
}

/** The refresh token; undefined as `openFlow`. */
export function openWaiting(seal: Seal, text: string, nowMs: number): string | undefined {
  return opened<Waiting>(seal, text, WAITING_NAME, nowMs)?.refreshToken
}

interface Waiting {
  readonly refreshToken: string
  readonly expiresAtMs: number
}

function sealed(seal: Seal, value: Flow | Waiting, name: string): string {
  return seal.seal(JSON.stringify(value), name).toString('base64url')
}

function opened<T extends Flow | Waiting>(
  seal: Seal,
  text: string,
  name: string,
  nowMs: number,
): T | undefined {
  try {
    const value = JSON.parse(seal.open(Buffer.from(text, 'base64url'), name)) as T
    return value.expiresAtMs > nowMs ? value : undefined
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
