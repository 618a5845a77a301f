/**
 * The service as its tests open it: with its real database, and people to be.
 *
 * @module
 */
import { join } from 'node:path'
import { anyone } from '@flotilla/core/access'
import { defineApp } from '@flotilla/core/app'
import type { User } from '@flotilla/core/caller'
import type { Calls } from '@flotilla/core/calls'
import { type Clock, systemClock } from '@flotilla/core/clock'
import { defineContract } from '@flotilla/core/contract'
import { createIds } from '@flotilla/core/ids'
import { createLogger } from '@flotilla/core/log'
import { query } from '@flotilla/core/operation'
import { systemRandom } from '@flotilla/core/random'
import { Nothing } from '@flotilla/core/schema'
import { type Context, defineService } from '@flotilla/core/service'
import { openTestApp, type TestApp, type TestAppOptions } from '@flotilla/core/test-app'
import { testCall } from '@flotilla/core/test-call'
import type { TestDatabase } from '@flotilla/core/test-database'
import type { Session } from '../contracts/account.ts'
import { auth } from '../contracts/auth.ts'
import { authService } from './service.ts'

/** Of the app; this file is built to `dist/auth/`. */
export const FOLDER = join(import.meta.dirname, '../..')

/** Somebody by the name of the gateway, which alone may verify API keys. */
const standIn = defineService({
  contract: defineContract({
    name: 'gateway',
    version: 1,
    summary: 'Stands in for the gateway.',
    operations: { nothing: query({ summary: 'Does nothing.', access: anyone, output: Nothing }) },
  }),
  open: () => ({ nothing: () => ({}) }),
})

/** An app of this service alone. */
const app = defineApp({
  name: 'shop',
  folder: FOLDER,
  services: {
    auth: async () => authService,
    gateway: async () => standIn,
  },
})

/** The service, opened for one test. */
export interface TestAuth {
  readonly app: TestApp
  readonly database: TestDatabase
  /** Calls as a stranger. */
  readonly anyone: Calls<typeof auth>
  /** Calls as the gateway. */
  readonly gateway: Calls<typeof auth>
  /** Calls as a user. */
  as(user: { readonly id: string }, scopes?: readonly string[]): Calls<typeof auth>
  /** Passwords hashed or compared so far. */
  hashings(): number
  /** Opens an account. */
  register(name?: string): Promise<Session>
}

/** A password that is good enough. */
export const PASSWORD = 'seven otters juggling'

/** What the service needs to run. */
export const ENVIRONMENT = { AUTH_SEALING_KEY: 'a sealing key for the tests' }

/** Opens it in one process, unless told otherwise. */
export async function openTestAuth(
  t: { after(cleanUp: () => Promise<void>): void },
  options: Partial<TestAppOptions> = {},
): Promise<TestAuth> {
  const opened = await openTestApp(t, {
    app,
    placement: 'one process',
    ...options,
    environment: { ...ENVIRONMENT, ...options.environment },
  })
  const stranger = opened.call(auth)
  return {
    app: opened,
    database: opened.databases.get('auth') as TestDatabase,
    anyone: stranger,
    gateway: opened.call(auth, { service: 'gateway' }),
    as({ id }, scopes = []) {
      const user: User = { id, roles: ['customer'], scopes, tier: 'free' }
      return opened.call(auth, { user })
    },
    hashings() {
      const text = opened.hostOf('auth').metrics.toPrometheus()
      return Number(/^shop_password_hashings_total(?:\{\})? (\d+)$/m.exec(text)?.[1])
    },
    register: (name = 'ann') =>
      stranger.register({ email: `${name}@example.org`, password: PASSWORD, name: `Test ${name}` }),
  }
}

/** Fits `assert.rejects`: the error with a reason. */
export function withReason(reason: string): { readonly name: string; readonly reason: string } {
  return { name: 'FlotillaError', reason }
}

/** A context of no call in particular, on a database, at the time that `clock` tells. */
export function testContext(
  { open }: TestDatabase,
  clock: Clock = systemClock,
): () => Pick<Context, 'clock' | 'db' | 'log' | 'newId' | 'random' | 'signal'> {
  const random = systemRandom
  const database = open()
  return () => ({
    clock,
    random,
    newId: createIds(clock, random),
    log: createLogger({ level: 'silent', clock, fields: {} }),
    signal: new AbortController().signal,
    db: database.session(testCall()),
  })
}
