/**
 * The fixed pages of every process: health, metrics, its operations.
 *
 * Liveness says that the event loop turns. Readiness says that this process wants calls; it never looks at a database or
 * another service, or one failure there would take every replica out at once.
 *
 * @module
 */
import type { Contract } from '../contract/contract.ts'
import { openApiDocument } from '../contract/openapi.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Page } from '../wire/http/http-server.ts'

/** What the pages tell of. */
export interface PagesOptions {
  /** This process, in the document of its operations. */
  readonly title: string
  readonly version: string
  readonly contracts: readonly Contract[]
  readonly metrics: Metrics
  readonly state: { readonly isReady: boolean; readonly isDraining: boolean }
}

/** Looks pages up by path. */
export function pagesOf(options: PagesOptions): (path: string) => Page | undefined {
  const { title, version, contracts, metrics, state } = options
  let document: string | undefined
  return (path) => {
    switch (path) {
      case '/health/live':
        return json(200, { status: 'live' })
      case '/health/ready':
        if (state.isReady) return json(200, { status: 'ready' })
        return json(503, { status: state.isDraining ? 'draining' : 'starting' })
      case '/metrics':
        return { status: 200, contentType: 'text/plain; version=0.0.4', body: metrics.toPrometheus() }
      case '/openapi.json':
        document ??= JSON.stringify(openApiDocument({ title, version, contracts }))
        return { status: 200, contentType: 'application/json', body: document }
      default:
        return undefined
    }
  }
}

function json(status: number, body: object): Page {
  return { status, contentType: 'application/json', body: JSON.stringify(body) }
}
