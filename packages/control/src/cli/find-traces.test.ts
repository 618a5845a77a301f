import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findTraces } from './find-traces.ts'

type Page = Awaited<ReturnType<Parameters<typeof findTraces>[0]>>

const item = (traceId: string): Page['items'][number] => ({
  traceId,
  name: 'orders.place',
  service: 'orders',
  startAt: '2026-01-01T00:00:00.000Z',
  durationMs: 1,
  spans: 1,
  errors: 0,
  services: ['orders'],
})

/** Answers with these pages, each of which takes a second. */
function answering(pages: readonly (readonly string[])[]) {
  let nowMs = 0
  const asked: (string | undefined)[] = []
  return {
    asked,
    clock: { monotonicMs: () => nowMs },
    ask: async (cursor: string | undefined): Promise<Page> => {
      const page = Number(cursor ?? 0)
      nowMs += 1_000
      asked.push(cursor)
      const isLast = page === pages.length - 1
      return {
        items: (pages[page] ?? []).map(item),
        nextCursor: isLast ? null : String(page + 1),
        cutShortAtMs: isLast ? null : 9_000 - page,
      }
    },
  }
}

async function found(pages: readonly (readonly string[])[], limit: number) {
  const { ask, clock, asked } = answering(pages)
  const { items, cutShortAtMs } = await findTraces(ask, limit, clock)
  return { ids: items.map(({ traceId }) => traceId), cutShortAtMs, asked: asked.length }
}

describe('findTraces', () => {
  it('goes on where a search ran out of time, and shows a trace once', async () => {
    assert.deepEqual(await found([['a'], [], ['a', 'b']], 5), {
      ids: ['a', 'b'],
      cutShortAtMs: null,
      asked: 3,
    })
    assert.deepEqual(await found([[], []], 5), { ids: [], cutShortAtMs: null, asked: 2 })
  })

  it('asks no more when it has enough', async () => {
    assert.deepEqual(await found([['a'], ['b'], ['c']], 2), { ids: ['a', 'b'], cutShortAtMs: null, asked: 2 })
  })

  it('says how far it came when five seconds have passed', async () => {
    const pages = Array.from({ length: 20 }, () => [])
    assert.deepEqual(await found(pages, 5), { ids: [], cutShortAtMs: 9_000 - 4, asked: 5 })
  })
})
