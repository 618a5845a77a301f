import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Ask } from './open-gateway.test.ts'
import { openWithStock } from './open-with-stock.test.ts'

describe('A route to a gRPC server', { timeout: 60_000 }, () => {
  const { gateway, stock } = openWithStock()
  const ask = (at: string, its?: Ask) => gateway().ask(at, its)
  const echo = async (json: unknown) => (await ask('/echo', { json })).body
  const issues = async (json: unknown): Promise<readonly string[]> => {
    const { status, body } = await ask('/echo', { json })
    assert.equal(status, 400)
    return (body['errors'] as { pointer: string; message: string }[]).map(
      ({ pointer, message }) => `${pointer} ${message}`,
    )
  }

  describe('takes JSON', () => {
    const exact = {
      sku: 'a-1',
      count: -3,
      total: '-9223372036854775808',
      size: '18446744073709551615',
      kind: 'TOY',
      labels: ['x', ''],
      byTown: { Ulm: 1, '': 2 },
      isNew: true,
      picture: 'AP8=',
      weight: 0.1,
      price: 1e100,
      rank: 0,
      company: '7',
      at: '2026-11-22T05:00:00.120Z',
      lasts: '-1.500s',
      mask: 'sku,place.inner',
      extra: { a: [1, null, { b: false }] },
      anyJson: null,
      some: [1, 'a'],
      maybe: '9007199254740993',
      perhaps: false,
      byTruth: { true: 'yes' },
      allKinds: ['BOOK', 'UNKNOWN'],
      odd: 'named',
      numbers: ['1', '-2'],
      below: -7,
      fixed: '12',
      byDepth: { '-5': 'deep' },
      nothing: null,
      doubles: ['NaN', 'Infinity', '-Infinity', 0.5],
    }

    it('and gives all of it back', async () => {
      const body = await echo(exact)
      for (const [name, value] of Object.entries(exact)) assert.deepEqual([name, body[name]], [name, value])
    })

    it('with the names of the .proto file, too, and any kind of number', async () => {
      const body = await echo({
        is_new: true,
        total: 5,
        size: '6',
        count: '7',
        kind: 1,
        price: '1.5',
        odd_name: 'x',
      })
      const { isNew, total, size, count, kind, price, odd } = body
      assert.deepEqual([isNew, total, size, count, kind, price, odd], [true, '5', '6', 7, 'BOOK', 1.5, 'x'])
    })

    it('and tells defaults, but not what is absent', async () => {
      const body = await echo({})
      const { sku, count, total, kind, labels, byTown, isNew, picture } = body
      assert.deepEqual([sku, count, total, kind], ['', 0, '0', 'UNKNOWN'])
      assert.deepEqual([labels, byTown, isNew, picture], [[], {}, false, ''])
      for (const name of ['rank', 'parent', 'person', 'company', 'at', 'maybe'])
        assert.equal(name in body, false)
    })

    it('and takes null for nothing', async () => {
      const body = await echo({ sku: null, rank: null, labels: null, parent: null, byTown: null })
      assert.deepEqual(
        [body['sku'], 'rank' in body, body['labels'], 'parent' in body],
        ['', false, [], false],
      )
    })

    it('of messages in messages', async () => {
      const json = { parent: { parent: { sku: 'top' } }, children: [{ count: 1 }, { count: 2 }] }
      const { parent, children } = await echo(json)
      assert.equal((parent as { parent: { sku: string } }).parent.sku, 'top')
      assert.deepEqual(
        (children as { count: number }[]).map(({ count }) => count),
        [1, 2],
      )
    })

    it('of any message that it knows', async () => {
      const place = { '@type': 'type.test/acme.kinds.Place', city: 'Ulm' }
      assert.deepEqual((await echo({ whatever: place }))['whatever'], place)
      const time = { '@type': 'type.test/google.protobuf.Duration', value: '3s' }
      assert.deepEqual((await echo({ whatever: time }))['whatever'], time)
      assert.match(String(await issues({ whatever: { '@type': 'a/b.C' } })), /^\/whatever\/@type must name/)
    })

    it('and names every field that is wrong', async () => {
      assert.deepEqual(
        await issues({ colour: 1, place: { inner: { shelf: 1 } }, children: [{}, { a: 1 }] }),
        [
          '/colour there is no such field',
          '/place/inner/shelf there is no such field',
          '/children/1/a there is no such field',
        ],
      )
    })

    for (const [field, values] of Object.entries({
      count: [2147483648, 1.5, 'x', true, '', '1.0', [], {}],
      total: ['9223372036854775808', 2 ** 53, '0x1', false],
      size: [-1, '-1', '18446744073709551616'],
      kind: ['CAR', 1.5, true],
      isNew: ['true', 1],
      picture: ['*', 'A', 'AAA==', 7],
      weight: [1e39, 'heavy', 'infinity'],
      sku: [1, {}],
      labels: ['x', [1], [null]],
      byTown: [[], { Ulm: 'x' }],
      byId: [{ x: {} }, { '1.5': {} }],
      byTruth: [{ yes: '' }],
      parent: [[], 'x'],
      at: ['2026-02-30T00:00:00Z', '2026-11-22', '2026-11-22T05:00:00', 5, '0000-01-01T00:00:00Z'],
      lasts: ['1', '1.5', 's', '315576000001s'],
      mask: ['a..b', 'a b'],
      extra: [[], 1],
      some: [{}],
      maybe: ['x', {}],
    })) {
      it(`but no ${field} that cannot be one`, async () => {
        for (const value of values) {
          const [first = ''] = await issues({ [field]: value })
          assert.ok(first.startsWith(`/${field}`), `${JSON.stringify(value)}: ${first}`)
        }
      })
    }

    it('but nothing twice', async () => {
      assert.deepEqual(await issues({ is_new: true, isNew: true }), ['/isNew is said twice'])
      assert.deepEqual(await issues({ person: 'a', company: '1' }), [
        '/company cannot be said together with person',
      ])
    })

    it('and nothing else', async () => {
      assert.deepEqual(await issues([]), [' must be an object'])
      const bad = async (text: string, type = 'application/json'): Promise<number> =>
        (await ask('/echo', { text, headers: { 'content-type': type } })).status
      assert.deepEqual(
        [await bad('{'), await bad('{}', 'text/plain'), await bad('{"__proto__":{}}')],
        [400, 415, 400],
      )
      assert.equal((await ask('/items/a/touched', { json: {} })).status, 400)
      assert.equal((await ask('/items/a/touched', { method: 'POST' })).status, 200)
    })
  })

  describe('puts a request together', () => {
    it('from its path, its query and its body', async () => {
      const { body } = await ask('/items/a%2Db/12', {
        method: 'PUT',
        json: { sku: 'other', place: { city: 'Ulm', inner: { shelf_number: 5 } } },
      })
      assert.deepEqual(body['sku'], 'a-b')
      assert.deepEqual(body['place'], { city: 'Ulm', inner: { shelfNumber: 12 } })
      const asked = await ask(
        '/items/x%20y?count=5&labels=a&labels=b&place.inner.shelf_number=3&isNew=true&allKinds=2',
      )
      const { sku, count, labels, place, isNew, allKinds } = asked.body
      assert.deepEqual([sku, count, labels, isNew, allKinds], ['x y', 5, ['a', 'b'], true, ['TOY']])
      assert.deepEqual(place, { city: '', inner: { shelfNumber: 3 } })
    })

    it('with one field as the body, and one of the answer', async () => {
      const json = { city: 'Ulm' }
      const { body, status } = await ask('/items/7/place', { json })
      assert.deepEqual([status, body], [200, { city: 'Ulm' }])
      assert.equal((await ask('/items/7/place?place.city=Bonn', { json })).status, 400)
    })

    it('with typed parts of the path', async () => {
      const { body } = await ask('/typed/9223372036854775807/BOOK/true/2026-11-22T00:00:00+01:00/5')
      const { total, kind, isNew, at, maybe } = body
      assert.deepEqual(
        [total, kind, isNew, at, maybe],
        ['9223372036854775807', 'BOOK', true, '2026-11-21T23:00:00Z', '5'],
      )
      const wrong = await ask('/typed/x/CAR/maybe/now/y')
      const pointers = (wrong.body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer)
      assert.deepEqual([wrong.status, pointers], [400, ['/total', '/kind', '/isNew', '/at', '/maybe']])
    })

    for (const [query, pointer] of [
      ['colour=1', '/colour'],
      ['count=x', '/count'],
      ['count=1&count=2', '/count'],
      ['sku=other', '/sku'],
      ['parent=x', '/parent'],
      ['byTown=x', '/byTown'],
      ['place.inner.shelf=1', '/place.inner.shelf'],
      ['labels.x=1', '/labels.x'],
      ['isNew=1', '/isNew'],
    ])
      it(`but not with ?${query}`, async () => {
        const { status, body } = await ask(`/items/a?${query}`)
        assert.equal(status, 400)
        assert.equal((body['errors'] as { pointer: string }[])[0]?.pointer, pointer)
      })

    it('and takes nothing from the query where the body is all', async () => {
      assert.equal((await ask('/echo?count=1', { json: {} })).status, 400)
    })

    it('by what google.api.http says', async () => {
      assert.equal((await ask('/annotated/items/a?count=2')).body['count'], 2)
      assert.equal((await ask('/annotated/items', { json: { count: 3 } })).body['count'], 3)
      const patched = await ask('/annotated/items/a', { method: 'PATCH', json: { sku: 'p' } })
      assert.equal(patched.body['sku'], 'p')
      const moved = await ask('/annotated/shelves/1/books/b%20c:move', { json: {} })
      assert.equal(moved.body['sku'], 'shelves/1/books/b c')
      assert.equal((await ask('/annotated/all/a/b/c')).body['sku'], 'a/b/c')
      assert.equal((await ask('/annotated/shelves/1/books/longer-than-it', { json: {} })).status, 404)
      assert.match((await ask('/annotated/watch?times=1')).text, /"count":1/)
    })

    it('with what the operator makes of it', async () => {
      const { body } = await ask('/changed', { json: { name: 'b' } })
      assert.equal((body['item'] as { sku: string }).sku, 'b')
    })

    it('and answers HEAD, and browsers that ask before they ask', async () => {
      const head = await ask('/items/a', { method: 'HEAD' })
      assert.deepEqual([head.status, head.text, head.headers['content-type']], [200, '', 'application/json'])
      const headers = { origin: 'https://shop.test', 'access-control-request-method': 'PUT' }
      const asked = await ask('/items/a/1', { method: 'OPTIONS', headers })
      assert.deepEqual([asked.status, asked.headers['access-control-allow-methods']], [204, 'OPTIONS, PUT'])
    })

    it('and says which methods a path takes, where another is asked for', async () => {
      const before = stock().calls.length
      for (const [at, method, allowed] of [
        ['/items/a/1', 'POST', 'OPTIONS, PUT'],
        ['/items/a', 'DELETE', 'OPTIONS, GET, HEAD'],
        ['/echo', 'HEAD', 'OPTIONS, POST'],
        ['/fail', 'PUT', 'OPTIONS, GET, HEAD, POST'],
        ['/watch', 'HEAD', 'OPTIONS, GET'],
        ['/annotated/items/a', 'PUT', 'OPTIONS, GET, HEAD, PATCH'],
      ] as const) {
        const { status, headers } = await ask(at, { method })
        assert.deepEqual([at, method, status, headers.allow], [at, method, 405, allowed])
      }
      assert.equal((await ask('/items', { method: 'PUT' })).status, 404)
      assert.equal(stock().calls.length, before)
    })
  })
})
