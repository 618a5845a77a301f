import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { bytesOf, type Entry } from './entry.ts'
import { Store } from './store.ts'

function entryOf(key: string, tags: readonly string[], bodyBytes = 10, bornMs = 0): Entry {
  const times = { bornMs, freshUntilMs: 0, staleUntilMs: 0, errorUntilMs: 0, retryAtMs: 0 }
  return { key, tags, etag: '""', body: new Uint8Array(bodyBytes), ...times }
}

const PLENTY = 1_000_000
const tag = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const tags = fc.uniqueArray(tag, { maxLength: 3 })
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('begin' as const), tags }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('change' as const), tags }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('change all' as const) }) },
)

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** Things that change, readings of them on their way, and the store. */
class World {
  readonly store: Store
  /** What each tag is worth now; readings see it when they begin. */
  readonly #truth = new Map<string, number>()
  readonly #readings: { entry: Entry; generation: number; seen: readonly number[] }[] = []
  readonly #kept = new Map<string, readonly number[]>()
  #begun = 0

  constructor(changesMax: number) {
    this.store = new Store(PLENTY, undefined, changesMax)
  }

  #worth(of: readonly string[]): number[] {
    return of.map((one) => this.#truth.get(one) ?? 0)
  }

  begin(of: readonly string[]): void {
    const entry = entryOf(of.join(), of, 10, this.#begun++)
    this.#readings.push({ entry, generation: this.store.generation, seen: this.#worth(of) })
  }

  end(which: number): void {
    const [reading] = this.#readings.splice(which % Math.max(1, this.#readings.length), 1)
    if (reading === undefined) return
    const { entry, generation, seen } = reading
    if (this.store.put(entry, generation)) this.#kept.set(entry.key, seen)
  }

  change(of: readonly string[]): void {
    for (const one of of) this.#truth.set(one, (this.#truth.get(one) ?? 0) + 1)
  }

  check(): void {
    for (const [key, seen] of this.#kept) {
      const entry = this.store.get(key)
      if (entry !== undefined) assert.deepEqual(seen, this.#worth(entry.tags), `${key} is old`)
    }
  }
}

function take(world: World, one: Step): void {
  if (one.do === 'begin') world.begin(one.tags)
  else if (one.do === 'end') world.end(one.which)
  else if (one.do === 'change') {
    world.change(one.tags)
    world.store.changed(one.tags)
  } else {
    world.change(['a', 'b', 'c', 'd', 'e'])
    world.store.allChanged()
  }
  world.check()
}

describe('Store', () => {
  it('never keeps what was read before something it tells of changed, and forgets it when it changes', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60, size: 'max' }),
        fc.integer({ min: 1, max: 4 }),
        (steps, changesMax) => {
          const world = new World(changesMax)
          for (const one of steps) take(world, one)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('keeps what was read after the last change', () => {
    const store = new Store(PLENTY)
    store.changed(['a'])
    assert.ok(store.put(entryOf('k', ['a', 'b']), store.generation))
    assert.equal(store.changed(['c']), 0)
    assert.equal(store.get('k')?.key, 'k')
    assert.equal(store.changed(['b', 'a']), 1)
    assert.equal(store.get('k'), undefined)
  })

  it('is bounded by bytes, forgets the longest unused first and tells of it', () => {
    const size = bytesOf(entryOf('k00', ['t']))
    const evicted: string[] = []
    const store = new Store(size * 20, ({ key }) => evicted.push(key))
    const keyOf = (index: number): string => `k${String(index).padStart(2, '0')}`
    for (let index = 0; index < 20; index++)
      assert.ok(store.put(entryOf(keyOf(index), ['t']), store.generation))
    assert.ok(store.get('k00'))
    store.put(entryOf('k20', ['t']), store.generation)
    assert.deepEqual(evicted, ['k01'])
    assert.equal(store.count, 20)
    assert.ok(store.bytes <= size * 20)
    assert.ok(!store.put(entryOf('large', [], size * 2), store.generation), 'one must not push out many')
    assert.equal(store.changed(['t']), 20)
    assert.equal(store.bytes, 0)
  })

  it('has the newer of two answers, and none that tells of too much', () => {
    const store = new Store(PLENTY)
    assert.ok(store.put(entryOf('k', ['a'], 10, 5), 0))
    assert.ok(!store.put(entryOf('k', ['a'], 20, 4), 0))
    assert.ok(store.put(entryOf('k', ['b'], 30, 6), 0))
    assert.equal(store.get('k')?.body.length, 30)
    assert.equal(store.changed(['a']), 0, 'the one that told of it is gone')
    assert.equal(store.changed(['b']), 1)
    const many = Array.from({ length: 257 }, (_, index) => `t${index}`)
    assert.ok(!store.put(entryOf('many', many), store.generation))
  })
})
