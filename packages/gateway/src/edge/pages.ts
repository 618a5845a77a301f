/**
 * Pages of the gateway itself: health, readiness, the description of the API.
 *
 * @module
 */
import type { Contract } from '@flotilla/core/contract'
import { openApiDocument } from '@flotilla/core/openapi'
import { docsPage } from '../docs/docs-page.ts'
import { type Answer, privateAnswer } from './answer.ts'

/** What they tell of. */
export interface PagesOptions {
  readonly title: string
  readonly description: string
  readonly contracts: readonly Contract[]
  readonly isDraining: () => boolean
}

/** Finds a page by its path. */
export type Pages = (path: string) => Answer | undefined

/** Makes the pages; what does not change is made once, when it is first asked for. */
export function createPages(options: PagesOptions): Pages {
  const document = once(() => openApiDocument({ ...options, version: '1' }))
  const openApi = once(() => cacheable('application/json', JSON.stringify(document())))
  const docs = once(() => {
    const { html, contentSecurityPolicy } = docsPage(document())
    const headers = ['content-security-policy', contentSecurityPolicy, 'referrer-policy', 'no-referrer']
    return { ...cacheable('text/html; charset=utf-8', html), headers }
  })
  return (path) => {
    switch (path) {
      case '/health':
        return json(200, { status: 'ok' })
      case '/ready':
        return options.isDraining() ? json(503, { status: 'draining' }) : json(200, { status: 'ready' })
      case '/openapi.json':
        return openApi()
      case '/docs':
        return docs()
      case '/':
        return { ...privateAnswer(302, 'text/plain', 'See /docs.\n'), headers: ['location', '/docs'] }
      default:
        return undefined
    }
  }
}

function json(status: number, body: object): Answer {
  return privateAnswer(status, 'application/json', JSON.stringify(body))
}

function cacheable(contentType: string, body: string): Answer {
  return { status: 200, contentType, body, cacheControl: 'public, max-age=60', headers: [], same: {} }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
