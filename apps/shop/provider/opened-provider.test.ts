/** The provider in a host of its own, on a real database and a real port. */
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { defineApp } from '@flotilla/core/app'
import { openTestApp } from '@flotilla/core/test-app'
import type { TestDatabase } from '@flotilla/core/test-database'
import { providerService } from './service.ts'

export const folder = join(import.meta.dirname, '..', '..')
const providerApp = defineApp({
  name: 'outside',
  folder,
  services: { provider: async () => providerService },
})

export const PROVIDER_KEY = 'key of the shop at the provider'
export const WEBHOOK_SECRET = 'secret of the webhooks'

/** A card that is taken. No number is written like its code, nor are milliseconds (`737` once was a timestamp's). */
export const CARD = { number: '4242424242424242', expiry: '2099-01', cvc: '0371' }
/** A card that is declined, otherwise the same. */
export const DECLINED_CARD = { ...CARD, number: '4000000000000002' }
/** What of the two cards nobody may keep. No part of an id or of a hash matches. */
export const CARD_DATA = /4242424242424242|4000000000000002|(?<![\w-])0371(?![\w-])|cvc/i

/** A running provider. */
export interface OpenedProvider {
  readonly database: TestDatabase
  /** Names of the spans that it has recorded of a trace. */
  spansOf(traceId: string): readonly string[]
  /** Cuts every connection. */
  stop(): Promise<void>
  /** With the secret key. */
  send(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<ProviderAnswer>
}

/** What the provider answered. */
export interface ProviderAnswer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it likes
  readonly body: any
  readonly headers: Headers
}

/** Opens the provider; on `shared`'s database, if given. */
export async function openProvider(
  t: TestContext,
  port: number,
  environment: Readonly<Record<string, string>> = {},
  shared?: OpenedProvider,
): Promise<OpenedProvider> {
  const app = await openTestApp(t, {
    app: providerApp,
    placement: 'one process',
    environment: {
      PROVIDER_PORT: String(port),
      PROVIDER_API_KEY: PROVIDER_KEY,
      PROVIDER_WEBHOOK_SECRET: WEBHOOK_SECRET,
      ...(shared === undefined ? {} : { FLOTILLA_DATABASE_PROVIDER: shared.database.url }),
      ...environment,
    },
  })
  return {
    database: shared?.database ?? (app.databases.get('provider') as TestDatabase),
    spansOf: (traceId) => {
      const spans = app.hostOf('provider').spans.ofTrace(traceId)
      return spans.map(({ kind, name }) => `${kind} ${name}`)
    },
    stop: () => app.hostOf('provider').close(),
    async send(method, path, body, headers = {}) {
      const json = { authorization: `Bearer ${PROVIDER_KEY}`, 'content-type': 'application/json', ...headers }
      const url = `http://127.0.0.1:${port}${path}`
      const response = await fetch(
        url,
        body === undefined
          ? { method, headers: json }
          : { method, headers: json, body: JSON.stringify(body) },
      )
      return {
        status: response.status,
        body: JSON.parse(await response.text()),
        headers: response.headers,
      }
    },
  }
}
