/** The tour in docs/tour.md is true: it names the spans that the request leaves behind, in their order. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { Span } from '@flotilla/core/spans'
import { until } from '@flotilla/core/until'
import { openShop } from './placements.ts'

const tour = readFileSync(new URL('../../docs/tour.md', import.meta.url), 'utf8')

/** The spans the tour stops at: `server cart.addItem`. */
function stops(): readonly string[] {
  return [...tour.matchAll(/`((?:client|server) [^`]+)`/g)].map(([, span]) => span as string)
}

/** The spans of one trace from its root on, each before what it led to. */
function inOrder(spans: readonly Span[], parentId: string | undefined): readonly Span[] {
  const children = spans.filter((span) => span.parentId === parentId)
  return children.flatMap((span) => [span, ...inOrder(spans, span.spanId)])
}

describe('the tour', () => {
  it('stops at every span of its request, and at no other', async (t) => {
    const shop = await openShop(t, 'frames')
    const ann = await shop.register('ann')
    const answer = await shop.api('/cart/items', {
      token: ann.token,
      body: { sku: 'AUD-0001', quantity: 2 },
      headers: { 'idempotency-key': 'tour' },
    })
    assert.equal(answer.status, 200)
    const [, traceId = ''] = (answer.headers.get('traceparent') ?? '').split('-')
    const recorded = (): readonly Span[] =>
      (shop.hosts?.hosts ?? []).flatMap((host) => host.spans.ofTrace(traceId))
    const names = (): readonly string[] =>
      inOrder(recorded(), undefined).map(({ kind, name }) => `${kind} ${name}`)
    // The answer is out before the gateway's own span is.
    await until('the root span', async () => names().length > 0)
    assert.deepEqual(names(), stops())
    assert.equal(recorded().length, names().length, 'no span without a way to the root')
  })
})
