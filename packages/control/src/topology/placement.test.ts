import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  builtInPlacement,
  builtInPlacements,
  hostOfService,
  mistakesIn,
  type PlaceableService,
  type Placement,
  PlacementError,
  parsePlacement,
  startWaves,
} from './placement.ts'

const services: readonly PlaceableService[] = [
  { name: 'gateway', calls: ['catalog', 'cart'], isSingle: true, isOutside: false },
  { name: 'catalog', calls: [], isSingle: false, isOutside: false },
  { name: 'cart', calls: ['catalog'], isSingle: false, isOutside: false },
]
const good = { edge: { services: ['gateway'] }, goods: { services: ['catalog', 'cart'], instances: 3 } }

function mistakesOf(text: string): readonly string[] {
  try {
    parsePlacement('test', text, services)
  } catch (error) {
    assert.ok(error instanceof PlacementError)
    for (const mistake of error.mistakes) assert.ok(error.message.includes(mistake))
    return error.mistakes
  }
  return []
}

/** Services that call each other at random, circles and themselves included. */
const anyServices: fc.Arbitrary<readonly PlaceableService[]> = fc
  .integer({ min: 1, max: 7 })
  .chain((count) => {
    const names = Array.from({ length: count }, (_, index) => `s${index}`)
    const service = (name: string) =>
      fc.record({ name: fc.constant(name), calls: fc.subarray(names), isOutside: fc.boolean() })
    return fc.tuple(...names.map(service))
  })
  .map((made) => made.map((service) => ({ ...service, isSingle: service.isOutside })))

/** Services, and each in one of up to four hosts; for those who do not care who is outside. */
const anyPlaced = anyServices.chain((made) =>
  fc
    .array(fc.integer({ min: 0, max: 3 }), { minLength: made.length, maxLength: made.length })
    .map((choices) => {
      const hosts: Record<string, { services: string[]; instances: number }> = {}
      for (const [index, { name }] of made.entries()) {
        const host = `h${choices[index]}`
        hosts[host] ??= { services: [], instances: 1 }
        hosts[host].services.push(name)
      }
      return { services: made, placement: { name: 'any', hosts } satisfies Placement }
    }),
)

describe('parsePlacement', () => {
  it('reads hosts, one instance when nothing is said', () => {
    assert.deepEqual(parsePlacement('mine', JSON.stringify({ hosts: good }), services), {
      name: 'mine',
      hosts: {
        edge: { services: ['gateway'], instances: 1 },
        goods: { services: ['catalog', 'cart'], instances: 3 },
      },
    })
  })

  const other = { goods: good.goods }
  for (const [what, hosts, mistake] of [
    ['an unknown key', { ...other, edge: { ...good.edge, count: 2 } }, 'hosts.edge.count is not known'],
    ['no services', { ...good, idle: { services: [] } }, 'hosts.idle.services must list services'],
    [
      'services not in a list',
      { ...good, odd: { services: 'cart' } },
      'hosts.odd.services must list services',
    ],
    ['a number as service', { ...good, odd: { services: [1] } }, 'hosts.odd.services must list services'],
    ['a text as host', { ...good, odd: 'cart' }, 'hosts.odd.services must list services'],
    ['null as host', { ...good, odd: null }, 'hosts.odd.services must list services'],
    ['a list as host', { ...good, odd: ['cart'] }, 'hosts.odd.services must list services'],
    ...[0, -1, 1.5, 65, '2', null].map(
      (instances) =>
        [
          `${JSON.stringify(instances)} instances`,
          { ...good, goods: { ...good.goods, instances } },
          'hosts.goods.instances must be a number from 1 to 64',
        ] as const,
    ),
    [
      'the host of the control process',
      { ...other, control: good.edge },
      'host name control is taken: the process that watches has it',
    ],
    [
      'a host name that is no file name',
      { ...other, '../edge': good.edge },
      'host name ../edge must be lower-case letters, digits and dashes',
    ],
    [
      'a service that does not exist',
      { ...good, odd: { services: ['nothing'] } },
      'hosts.odd names nothing, which the app does not have',
    ],
    [
      'a service placed twice',
      { ...good, again: { services: ['cart'] } },
      'cart is placed in goods and in again',
    ],
    ['a service placed nowhere', other, 'gateway is not placed'],
    [
      'two of a service that can run once',
      { ...other, edge: { services: ['gateway'], instances: 2 } },
      'hosts.edge: gateway can run once only',
    ],
  ] as const) {
    it(`refuses ${what}, and says where`, () => {
      assert.deepEqual(mistakesOf(JSON.stringify({ hosts })), [mistake])
    })
  }

  it('refuses what has no hosts, and keys it does not know', () => {
    for (const text of ['null', '[]', '1', '{}', '{"hosts":[]}', '{"hosts":null}', '{"host":{}}'])
      assert.deepEqual(mistakesOf(text), ['it must be an object with "hosts", an object'], text)
    assert.deepEqual(mistakesOf(JSON.stringify({ hosts: good, instances: 2 })), ['instances is not known'])
    assert.match(mistakesOf('{"hosts":')[0] ?? '', /^it is not JSON \(/)
  })

  it('names all mistakes at once', () => {
    const hosts = { A: { services: ['nothing'], instances: 0 } }
    assert.equal(mistakesOf(JSON.stringify({ hosts })).length, 6)
  })

  it('gives a placement or a PlacementError, whatever the text', () => {
    const json = fc.oneof(
      fc.json(),
      fc.dictionary(fc.string(), fc.jsonValue()).map((hosts) => JSON.stringify({ hosts })),
    )
    fc.assert(fc.property(fc.oneof(fc.string(), json), (text) => void mistakesOf(text)))
  })
})

describe('services that stand for the outside world', () => {
  const all = [...services, { name: 'provider', calls: [], isSingle: true, isOutside: true }]
  const alone = { services: ['provider'], instances: 1 }

  it('have a host to themselves in every built-in placement, beside all others in one', () => {
    for (const name of builtInPlacements)
      assert.deepEqual(builtInPlacement(name, all).hosts['provider'], alone)
    assert.deepEqual(builtInPlacement('monolith', all).hosts['app']?.services, ['gateway', 'catalog', 'cart'])
  })

  it('have one in a placement that does not name them, or the one that it gives them', () => {
    const hostsOf = (hosts: object) => parsePlacement('mine', JSON.stringify({ hosts }), all).hosts
    assert.deepEqual(hostsOf(good)['provider'], alone)
    assert.deepEqual(Object.keys(hostsOf({ ...good, bank: { services: ['provider'] } })), [
      'edge',
      'goods',
      'bank',
    ])
  })

  it('are refused together with others, more than once, and when others have their name', () => {
    const mistakesWith = (hosts: object): readonly string[] => {
      try {
        parsePlacement('mine', JSON.stringify({ hosts }), all)
      } catch (error) {
        return (error as PlacementError).mistakes
      }
      return []
    }
    assert.deepEqual(mistakesWith({ ...good, edge: { services: ['gateway', 'provider'] } }), [
      'hosts.edge: provider stands for the outside world and needs a host to itself',
    ])
    assert.deepEqual(mistakesWith({ ...good, bank: { services: ['provider'], instances: 2 } }), [
      'hosts.bank: provider can run once only',
    ])
    assert.deepEqual(mistakesWith({ goods: good.goods, provider: good.edge }), ['provider is not placed'])
  })
})

describe('builtInPlacement', () => {
  it('places every service once, and makes no mistake', () => {
    fc.assert(
      fc.property(anyServices, fc.constantFrom(...builtInPlacements), (made, name) => {
        const placement = builtInPlacement(name, made)
        assert.deepEqual(mistakesIn(placement, made), [])
        for (const service of made) assert.ok(hostOfService(placement, service.name) !== undefined)
        const together = name === 'monolith' ? made.filter(({ isOutside }) => !isOutside) : []
        const alone = made.length - together.length
        assert.equal(Object.keys(placement.hosts).length, alone + Math.min(1, together.length))
      }),
    )
  })
})

describe('hostOfService', () => {
  it('is undefined for a service that is not placed', () => {
    assert.equal(hostOfService(builtInPlacement('fleet', services), 'nothing'), undefined)
  })
})

describe('startWaves', () => {
  it('starts every host once, what a host needs before it, and circles together', () => {
    fc.assert(
      fc.property(anyPlaced, ({ placement, services: made }) => {
        const waves = startWaves(placement, made)
        const waveOf = new Map(waves.flatMap((wave, index) => wave.map((host) => [host, index])))
        assert.deepEqual(waves.flat().sort(), Object.keys(placement.hosts).sort())
        const needs = needsOf(placement, made)
        for (const [host, needed] of needs) {
          for (const other of needed) {
            const [own, its] = [waveOf.get(host) as number, waveOf.get(other) as number]
            if (leadsTo(needs, other, host)) assert.equal(its, own, `${host} and ${other} are a circle`)
            else assert.ok(its < own, `${other} starts before ${host}`)
          }
        }
      }),
    )
  })

  it('waits for a circle as for any other host', () => {
    const circle: readonly PlaceableService[] = [
      { name: 'gateway', calls: ['a'], isSingle: true, isOutside: false },
      { name: 'a', calls: ['b'], isSingle: false, isOutside: false },
      { name: 'b', calls: ['a', 'c'], isSingle: false, isOutside: false },
      { name: 'c', calls: ['c'], isSingle: false, isOutside: false },
    ]
    assert.deepEqual(startWaves(builtInPlacement('fleet', circle), circle), [['c'], ['a', 'b'], ['gateway']])
    assert.deepEqual(startWaves(builtInPlacement('monolith', circle), circle), [['app']])
  })
})

/** Which other hosts each host calls: the definition, without the cleverness. */
function needsOf(placement: Placement, made: readonly PlaceableService[]): Map<string, Set<string>> {
  const needs = new Map<string, Set<string>>()
  for (const { name, calls } of made) {
    const host = hostOfService(placement, name) as string
    const needed = needs.get(host) ?? new Set()
    needs.set(host, needed)
    for (const other of calls) needed.add(hostOfService(placement, other) as string)
    needed.delete(host)
  }
  return needs
}

function leadsTo(needs: ReadonlyMap<string, ReadonlySet<string>>, from: string, to: string): boolean {
  const seen = new Set([from])
  for (const host of seen) for (const next of needs.get(host) ?? []) seen.add(next)
  return seen.has(to)
}
