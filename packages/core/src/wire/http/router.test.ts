import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyone } from '../../contract/access.ts'
import { defineContract, operationsOf } from '../../contract/contract.ts'
import { command, query } from '../../contract/operation.ts'
import { Type } from '../../contract/schema.ts'
import { apiPrefix, createRouter } from './router.ts'

const Id = Type.Object({ id: Type.String() })
const plain = { summary: 'x', access: anyone, input: Id, output: Type.Object({}) }

/** A contract of version 1 whose one route is there for GET and for PUT in these versions. */
function contractOf(getVersions: readonly number[], putVersions: readonly number[]) {
  const http = (method: string, version: number) => ({ route: `${method} /things/{id}`, version })
  const gets = getVersions.map((version) => [
    `get${version}`,
    query({ ...plain, http: http('GET', version) }),
  ])
  const puts = putVersions.map((version) => [
    `put${version}`,
    command({ ...plain, idempotency: 'natural', http: http('PUT', version) }),
  ])
  const operations = Object.fromEntries([...gets, ...puts])
  return defineContract({ name: 'things', version: 1, summary: 'Things.', operations })
}

describe('createRouter', () => {
  it('createRouter finds the operation of the version that is asked for, and no other', () => {
    const versions = fc.uniqueArray(fc.integer({ min: 1, max: 12 }))
    fc.assert(
      fc.property(versions, versions, fc.integer({ min: 0, max: 13 }), (gets, puts, version) => {
        const router = createRouter(operationsOf(contractOf(gets, puts)))
        const path = `/api/v${version}/things/a%20b`
        const hit = router.find('GET', path)
        assert.equal(hit?.operation.name, gets.includes(version) ? `get${version}` : undefined)
        if (hit !== undefined) assert.deepEqual({ ...hit.parameters }, { id: 'a b' })
        assert.equal(
          router.find('PUT', path)?.operation.name,
          puts.includes(version) ? `put${version}` : undefined,
        )
        const allowed = [
          ...(gets.includes(version) ? ['GET'] : []),
          ...(puts.includes(version) ? ['PUT'] : []),
        ]
        assert.deepEqual(router.allowedMethods(path), allowed)
      }),
    )
  })
})

describe('apiPrefix', () => {
  it('apiPrefix is the version, and nothing at the root', () => {
    const operations = {
      get: query({ ...plain, http: 'GET /a/{id}' }),
      getV2: query({ ...plain, http: { route: 'GET /a/{id}', version: 2 } }),
      key: query({ ...plain, http: { route: 'GET /keys/{id}', isAtRoot: true } }),
    }
    const contract = defineContract({ name: 'things', version: 1, summary: 'Things.', operations })
    assert.deepEqual(operationsOf(contract).map(apiPrefix), ['/api/v1', '/api/v2', ''])
  })
})
