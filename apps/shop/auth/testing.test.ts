/**
 * The service as its tests open it: with its real database, and people to be.
 *
 * @module
 */
import { join } from 'node:path'
import { defineApp } from '@flotilla/core/app'
import type { User } from '@flotilla/core/caller'
import type { Calls } from '@flotilla/core/calls'
import { openTestApp, type TestApp, type TestAppOptions } from '@flotilla/core/test-app'
import type { TestDatabase } from '@flotilla/core/test-database'
import { auth, type Session } from '../contracts/auth.ts'
import { authService } from './service.ts'

/** Of the app; this file is built to `dist/auth/`. */
export const FOLDER = join(import.meta.dirname, '../..')

/** An app of this service alone. */
const app = defineApp({
  name: 'shop',
  folder: FOLDER,
  services: { auth: async () => authService },
})

/** The service, opened for one test. */
export interface TestAuth {
  readonly app: TestApp
  readonly database: TestDatabase
  /** Calls as a stranger. */
  readonly anyone: Calls<typeof auth>
  /** Calls as a user. */
  as(user: { readonly id: string }, scopes?: readonly string[]): Calls<typeof auth>
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
  const anyone = opened.call(auth)
  return {
    app: opened,
    database: opened.databases.get('auth') as TestDatabase,
    anyone,
    as({ id }, scopes = []) {
      const user: User = { id, roles: ['customer'], scopes, tier: 'free' }
      return opened.call(auth, { user })
    },
    register: (name = 'ann') =>
      anyone.register({ email: `${name}@example.org`, password: PASSWORD, name: `Test ${name}` }),
  }
}
