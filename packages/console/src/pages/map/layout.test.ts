import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as library from '@dagrejs/dagre'
import type { MapEdge, MapNode } from '@flotilla/control/shapes'
import fc from 'fast-check'
import { curveOf, edgeId, framesOf, layoutOf, shapeOf, thicknessOf } from './layout.ts'

const NAMES = ['client', 'gateway', 'orders', 'cart', 'catalog', 'db-orders', 'db-cart']

const nodes: fc.Arbitrary<MapNode[]> = fc.subarray(NAMES, { minLength: 1 }).chain((names) =>
  fc.tuple(
    ...names.map((id) =>
      fc.constantFrom('a', 'b').map(
        (host): MapNode => ({
          id,
          name: id,
          kind: id.startsWith('db') ? 'database' : id === 'client' ? 'client' : 'service',
          health: 'ok',
          ready: 1,
          wanted: 1,
          hosts: id.startsWith('db') ? [] : [host],
        }),
      ),
    ),
  ),
)
const edges: fc.Arbitrary<MapEdge[]> = fc.uniqueArray(
  fc.record({
    from: fc.constantFrom(...NAMES),
    to: fc.constantFrom(...NAMES),
    kind: fc.constantFrom('call' as const, 'sql' as const),
    rate: fc.nat(100),
    errorShare: fc.constant(0),
    p95Ms: fc.constant(1),
    amplification: fc.constant(1),
  }),
  { selector: edgeId, maxLength: 12 },
)

describe('layoutOf', () => {
  it('has a place for every node, none over another, all inside', () => {
    fc.assert(
      fc.property(nodes, edges, (its, ways) => {
        const layout = layoutOf(library, its, ways)
        const boxes = [...layout.nodes.values()]
        assert.equal(boxes.length, its.length)
        for (const [index, a] of boxes.entries()) {
          assert.ok(a.x - a.width / 2 >= 0 && a.x + a.width / 2 <= layout.width + 1)
          for (const b of boxes.slice(index + 1)) {
            const isApart =
              Math.abs(a.x - b.x) >= (a.width + b.width) / 2 - 0.01 ||
              Math.abs(a.y - b.y) >= (a.height + b.height) / 2 - 0.01
            assert.ok(isApart)
          }
        }
      }),
      { numRuns: 40 },
    )
  })

  it('is the same for the same shape, whatever the order and the figures', () => {
    fc.assert(
      fc.property(nodes, edges, (its, ways) => {
        const other = ways.toReversed().map((way) => ({ ...way, rate: way.rate + 7 }))
        assert.equal(shapeOf(its.toReversed(), other), shapeOf(its, ways))
        const [a, b] = [layoutOf(library, its, ways), layoutOf(library, its.toReversed(), other)]
        for (const [id, box] of a.nodes) assert.deepEqual(b.nodes.get(id), box)
      }),
      { numRuns: 40 },
    )
  })
})

describe('framesOf', () => {
  it('frames services that share a process, and no others', () => {
    const node = (id: string, kind: MapNode['kind'], hosts: string[]): MapNode => ({
      id,
      kind,
      name: id,
      health: 'ok',
      ready: 1,
      wanted: 1,
      hosts,
    })
    const frames = framesOf([
      node('orders', 'service', ['all']),
      node('cart', 'service', ['all']),
      node('search', 'service', ['search']),
      node('db', 'database', ['all']),
    ])
    assert.deepEqual(
      [...frames],
      [
        ['orders', 'all'],
        ['cart', 'all'],
      ],
    )
  })
})

describe('curveOf', () => {
  it('begins and ends where the points do', () => {
    assert.equal(curveOf([]), '')
    assert.equal(
      curveOf([
        { x: 1, y: 1 },
        { x: 2, y: 2 },
      ]),
      'M1.0 1.0L2.0 2.0',
    )
    const path = curveOf([
      { x: 0, y: 0 },
      { x: 5, y: 5 },
      { x: 8, y: 2 },
      { x: 10, y: 0 },
    ])
    assert.match(path, /^M0\.0 0\.0Q.*10\.0 0\.0$/)
  })
})

describe('thicknessOf', () => {
  it('grows with the rate and stays between 1 and 6', () => {
    assert.equal(thicknessOf(0), 1)
    assert.ok(thicknessOf(10) > thicknessOf(1))
    assert.equal(thicknessOf(1e9), 6)
  })
})
