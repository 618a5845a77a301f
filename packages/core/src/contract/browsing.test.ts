import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyone } from './access.ts'
import { compareContracts } from './compare.ts'
import { type Contract, defineContract } from './contract.ts'
import { cookieOf, setCookie } from './cookie.ts'
import { describeContract } from './describe.ts'
import { openApiDocument } from './openapi.ts'
import { command, query } from './operation.ts'
import { type RestRequest, readInput } from './rest.ts'
import type { Browsing } from './route.ts'
import { type TSchema, Type } from './schema.ts'

const Kept = Type.Optional(Type.String())

/** A contract that sends browsers away and takes them back. */
function tour(browsing: Partial<Browsing> = {}, input = Type.Object({ kept: Kept, q: Kept })): Contract {
  const away = { cookie: 'kept', maxAgeS: 60, ...browsing }
  const output = Type.Object({ kept: Type.String(), to: Type.String(), count: Type.Integer() })
  return defineContract({
    name: 'tour',
    version: 1,
    summary: 'x',
    operations: {
      leave: query({
        summary: 'x',
        access: anyone,
        http: { route: 'GET /leave', browsing: { ...away, location: away.location ?? 'to' } },
        input,
        output,
      }),
      come: command({
        summary: 'x',
        access: anyone,
        http: { route: 'GET /come', browsing: away },
        idempotency: 'none',
        input,
        output,
      }),
    },
  })
}

const operationOf = (name: string) => tour().operations[name] as Contract['operations'][string]

describe('Browsing', () => {
  it('makes a 303 of an answer with a location, and lets a command be a GET, without a body', () => {
    const [leave, come] = [operationOf('leave').rest, operationOf('come').rest]
    assert.deepEqual([leave?.status, come?.status, come?.hasBody], [303, 200, false])
  })

  it('takes its field from the cookie alone', () => {
    const request: RestRequest = {
      parameters: {},
      search: 'q=a',
      ifMatch: undefined,
      prefer: undefined,
      body: undefined,
    }
    const come = operationOf('come')
    assert.deepEqual(readInput(come, { ...request, cookie: 'x' }), { q: 'a', kept: 'x' })
    assert.deepEqual(readInput(come, request), { q: 'a' })
    assert.throws(() => readInput(come, { ...request, search: 'kept=x' }), { code: 'invalid_argument' })
  })

  it('has two answers in OpenAPI where the location may be missing', () => {
    const answers = (to: TSchema) => {
      const operations = {
        leave: query({
          summary: 'x',
          access: anyone,
          http: { route: 'GET /leave', browsing: { cookie: 'kept', maxAgeS: 60, location: 'to' } },
          output: Type.Object({ kept: Type.String(), to }),
        }),
      }
      const contracts = [defineContract({ name: 'tour', version: 1, summary: 'x', operations })]
      const document = openApiDocument({ title: 'x', description: 'x', version: '1', contracts } as never)
      const { paths } = document as unknown as {
        paths: Record<string, { get: { responses: Record<string, object> } }>
      }
      const { responses = {} } = paths['/api/v1/leave']?.get ?? {}
      return Object.keys(responses).filter((status) => Number(status) < 400)
    }
    assert.deepEqual(answers(Type.String()), ['303'])
    assert.deepEqual(answers(Type.Optional(Type.String())), ['200', '303'])
  })

  it('is refused where it cannot be', () => {
    const refused = (mistake: RegExp, browsing: Partial<Browsing>, input?: Parameters<typeof tour>[1]) =>
      assert.throws(() => tour(browsing, input), mistake)
    refused(/keeps count in a cookie/, { cookie: 'count' })
    refused(/keeps none in a cookie/, { cookie: 'none' })
    refused(/keeps kept in a cookie/, {}, Type.Object({ kept: Type.String(), q: Kept }) as never)
    refused(/no whole number of seconds/, { maxAgeS: 0 })
    refused(/leads to count/, { location: 'count' })
  })

  it('a command by GET needs a cookie', () => {
    const operations = {
      come: command({
        summary: 'x',
        access: anyone,
        http: 'GET /come',
        idempotency: 'none',
        output: Type.Object({}),
      }),
    }
    const define = () => defineContract({ name: 'tour', version: 1, summary: 'x', operations })
    assert.throws(define, /is a command and cannot be a GET/)
  })

  it('breaks browsers that are on their way when it changes', () => {
    const [before, after] = [describeContract(tour()), describeContract(tour({ maxAgeS: 61 }))]
    const changes = compareContracts(before, after)
    assert.deepEqual(
      changes.map(({ path, isBreaking }) => [path.split('/').at(-1), isBreaking]),
      [
        ['browsing', true],
        ['browsing', true],
      ],
    )
    assert.deepEqual(compareContracts(before, describeContract(tour())), [])
  })

  it('shows in OpenAPI as what it is: a cookie, a location, and no field of the body', () => {
    const { paths } = openApiDocument({
      title: 'x',
      description: 'x',
      version: '1',
      contracts: [tour()],
    } as never) as unknown as {
      paths: Record<
        string,
        { get: { parameters: { name: string; in: string }[]; responses: Record<string, object> } }
      >
    }
    const { parameters, responses } = paths['/api/v1/leave']?.get ?? { parameters: [], responses: {} }
    const places = parameters.map(({ name, in: place }) => `${place} ${name}`)
    assert.deepEqual(places.toSorted(), ['cookie tour-kept', 'query q'])
    assert.deepEqual(Object.keys((responses['303'] as { headers: object }).headers), [
      'Set-Cookie',
      'Location',
    ])
    const come = JSON.stringify(paths['/api/v1/come']?.get.responses['200'])
    assert.ok(come.includes('"count"') && !come.includes('"kept"'))
  })
})

describe('cookieOf', () => {
  it('finds what setCookie had the browser keep, among others', () => {
    const anyName = fc.stringMatching(/^[a-z]{1,8}$/)
    const anyValue = fc.stringMatching(/^[\w.~-]{1,40}$/)
    const others = fc.array(fc.tuple(fc.stringMatching(/^x[a-z]{0,5}$/), anyValue), { maxLength: 3 })
    fc.assert(
      fc.property(anyName, anyValue, fc.boolean(), others, (name, value, isSecure, beside) => {
        const kept = setCookie(`a-${name}`, value, 60, isSecure).split(';', 1)[0] as string
        const header = [...beside.map(([one, its]) => `${one}=${its}`), kept].join('; ')
        assert.equal(cookieOf(header, `a-${name}`, isSecure), value)
        assert.equal(cookieOf(header, `a-${name}`, !isSecure), undefined)
      }),
    )
  })

  it('takes none that is there twice, and no value that we never gave', () => {
    for (const header of [
      'a=1; a=2',
      'a=',
      'a="1"',
      'a=1,2',
      'a=ü',
      `a=${'x'.repeat(4_001)}`,
      'A=1',
      'ba=1',
      '',
    ])
      assert.equal(cookieOf(header, 'a', false), undefined, header)
    assert.equal(cookieOf(undefined, 'a', false), undefined)
  })
})

describe('A proven key', () => {
  const bindWith = (http: object, input: TSchema) => () =>
    defineContract({
      name: 'safe',
      version: 1,
      summary: 'x',
      operations: {
        bind: command({
          summary: 'x',
          access: anyone,
          idempotency: 'none',
          http: { route: 'POST /bind', provenKey: 'key', ...http },
          input: input as ReturnType<typeof Type.Object>,
          output: Type.Object({}),
        }),
      },
    }) as Contract
  const good = bindWith({}, Type.Object({ key: Kept, q: Kept }))
  const operation = good().operations['bind'] as Contract['operations'][string]
  const request: RestRequest = {
    parameters: {},
    search: '',
    ifMatch: undefined,
    prefer: undefined,
    body: { q: 'a' },
  }

  it('comes from the check alone, never from a body or a query string', () => {
    assert.deepEqual(readInput(operation, { ...request, provenKey: 'k' }), { q: 'a', key: 'k' })
    assert.deepEqual(readInput(operation, request), { q: 'a' })
    assert.throws(() => readInput(operation, { ...request, body: { key: 'k' } }), {
      code: 'invalid_argument',
    })
    const byDelete = bindWith({ route: 'DELETE /bind' }, Type.Object({ key: Kept }))
    const remove = byDelete().operations['bind'] as Contract['operations'][string]
    assert.throws(() => readInput(remove, { ...request, search: 'key=k' }), { code: 'invalid_argument' })
  })

  it('is refused where it cannot be', () => {
    assert.throws(bindWith({}, Type.Object({ key: Type.String() })), /takes a proven key as key/)
    assert.throws(bindWith({}, Type.Object({ q: Kept })), /takes a proven key as key/)
    assert.throws(bindWith({ route: 'POST /bind/{key}' }, Type.Object({ key: Kept })), /from two places/)
  })

  it('may come to a route, and its going breaks who relies on it', () => {
    const without = bindWith({ provenKey: undefined }, Type.Object({ key: Kept, q: Kept }))
    const [before, after] = [describeContract(without()), describeContract(good())]
    const breaks = (changes: ReturnType<typeof compareContracts>) =>
      changes.filter(({ path }) => path.endsWith('/provenKey')).map(({ isBreaking }) => isBreaking)
    assert.deepEqual(breaks(compareContracts(before, after)), [false])
    assert.deepEqual(breaks(compareContracts(after, before)), [true])
  })

  it('shows in OpenAPI as a header, and as no field of the body', () => {
    const options = { title: 'x', description: 'x', version: '1', contracts: [good()] }
    const text = JSON.stringify(openApiDocument(options as never))
    assert.ok(text.includes('"name":"DPoP","in":"header"') && !text.includes('"key"'))
  })
})
