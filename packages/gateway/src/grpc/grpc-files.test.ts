import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import type { GatewayPolicies } from '../policy/gateway-policies.ts'
import { GrpcFiles } from './grpc-files.ts'
import { writeProtos } from './open-stock.test.ts'

const targets = ['http://127.0.0.1:1']

describe('GrpcFiles', () => {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-grpc-'))
  after(() => rmSync(folder, { recursive: true }))
  writeProtos(folder)
  const mistakesIn = (policies: GatewayPolicies): Promise<readonly string[]> =>
    new GrpcFiles().mistakesIn(policies, folder)
  const route = (
    more: object,
    path = '/items/{sku}',
    methods: readonly ('POST' | 'HEAD')[] = ['POST'],
  ): Promise<readonly string[]> =>
    mistakesIn({
      grpc: { stock: { proto: 'stock.proto', targets } },
      routes: [
        {
          match: { path, methods: [...methods] },
          grpc: { name: 'stock', method: 'acme.Stock/Echo', ...more },
          access: 'anyone',
        },
      ],
    })
  const proto = async (text: string, rest = {}): Promise<readonly string[]> => {
    writeFileSync(join(folder, 'other.proto'), text)
    return mistakesIn({ grpc: { other: { proto: 'other.proto', targets, ...rest } } })
  }
  const annotated = (rule: string, request = 'A'): Promise<readonly string[]> =>
    proto(
      `syntax = "proto3"; package p; message A { string a = 1; A b = 2; map<string, A> c = 3; }
      service S { rpc Do(${request}) returns (A) { option (google.api.http) = { ${rule} }; } }`,
      { annotated: { access: 'anyone' } },
    )

  it('has no mistakes to tell of where there are none', async () => {
    assert.deepEqual(await route({}), [])
    assert.deepEqual(
      await route({ body: '*', response: 'parent' }, '/a/{sku}/{place.inner.shelf_number}'),
      [],
    )
  })

  it('tells what is wrong with a route, and where', async () => {
    const at = '/routes/0'
    assert.deepEqual(await route({ method: 'acme.Stock/Nothing' }), [
      `${at}/grpc/method: there is no such method of acme.Stock`,
    ])
    assert.deepEqual(await route({ method: 'acme.Shop/Echo' }), [
      `${at}/grpc/method: there is no service acme.Shop in the .proto file`,
    ])
    assert.deepEqual(await route({ method: 'acme.Stock/Collect' }), [
      `${at}/grpc/method: takes a stream of messages`,
    ])
    assert.deepEqual(
      await route({ body: 'colour', response: 'size2' }, '/{colour}/{place.town}/{parent}/{labels}'),
      [
        `${at}/match/path: acme.Item has no field colour`,
        `${at}/match/path: acme.Item has no field place.town`,
        `${at}/match/path: parent is nothing that a path can say`,
        `${at}/match/path: labels is nothing that a path can say`,
        `${at}/grpc/body: acme.Item has no field colour`,
        `${at}/grpc/response: acme.Item has no field size2`,
      ],
    )
    assert.deepEqual(await route({ method: 'acme.Stock/Watch' }, '/items/{sku}', ['HEAD']), [
      `${at}/match/methods: a stream has no HEAD`,
    ])
    assert.deepEqual(await route({}, '/items/**'), [`${at}/match/path: the rest of a path is no field`])
  })

  it('tells what is wrong with a .proto file', async () => {
    const at = '/grpc/other/proto'
    assert.deepEqual(await mistakesIn({ grpc: { other: { proto: 'none.proto', targets } } }), [
      `${at}: there is no file none.proto to be read`,
    ])
    assert.deepEqual(await proto('syntax = "proto3"; message {'), [
      `${at}: other.proto: illegal type name '{' (line 1)`,
    ])
    assert.deepEqual(await proto('syntax = "proto3"; import "none.proto";'), [
      `${at}: there is no none.proto, which other.proto imports`,
    ])
    assert.deepEqual(await proto('syntax = "proto3"; import "../../etc/passwd";'), [
      `${at}: there is no ../../etc/passwd, which other.proto imports`,
    ])
    assert.match(String(await proto('syntax = "proto3"; message A { B b = 1; }')), /no such (?:type|Type).*B/)
  })

  it("takes options of one's own, and those of Google without their files", async () => {
    assert.deepEqual(
      await proto(`syntax = "proto3"; package own;
        import "google/protobuf/descriptor.proto";
        import "google/api/field_behavior.proto";
        extend google.protobuf.FieldOptions { string unit = 50000; }
        message A { int32 a = 1 [(own.unit) = "m", (google.api.field_behavior) = REQUIRED]; }
        service S { rpc Do(A) returns (A); }`),
      [],
    )
  })

  it('tells what is wrong with annotations', async () => {
    const at = '/grpc/other/annotated: p.S/Do:'
    assert.deepEqual(await annotated('get: "/v1/{a}"'), [])
    assert.deepEqual(await annotated('get: "/v1/{x}"'), [`${at} p.A has no field x`])
    assert.deepEqual(await annotated('post: "/v1" body: "x"'), [`${at} p.A has no field x`])
    assert.deepEqual(await annotated('get: "/v1/{a=**}/b"'), [
      `${at} /v1/{a=**}/b is no template that is taken here`,
    ])
    assert.deepEqual(await annotated('get: "/v1"', 'stream A'), [`${at} takes a stream of messages`])
    assert.deepEqual(await annotated('custom: { kind: "PURGE" path: "/v1" }'), [
      `${at} is asked by a method that is none of get, put, post, delete, patch`,
    ])
    assert.deepEqual(await proto('syntax = "proto3";', { annotated: { access: 'user' } }), [
      '/grpc/other/annotated: no method has google.api.http',
    ])
  })

  it('gives routes of the file before those of annotations', async () => {
    const files = new GrpcFiles()
    const policies: GatewayPolicies = {
      grpc: { stock: { proto: './stock.proto', targets, annotated: { access: 'user', roles: ['buyer'] } } },
      routes: [
        {
          match: { path: '/a', methods: ['GET'] },
          grpc: { name: 'stock', method: 'acme.Stock/Fail' },
          access: 'anyone',
        },
      ],
    }
    assert.deepEqual(await files.mistakesIn(policies, folder), [])
    const { policies: all, routes } = files.of(policies)
    assert.deepEqual(
      all.routes?.map(({ match, grpc, access, roles }) => [
        match.path,
        match.methods,
        grpc?.method,
        access,
        roles,
      ]),
      [
        ['/a', ['GET'], 'acme.Stock/Fail', 'anyone', undefined],
        ['/annotated/items/{any}', ['GET', 'HEAD'], 'acme.Stock/Echo', 'user', ['buyer']],
        ['/annotated/items', ['POST'], 'acme.Stock/Echo', 'user', ['buyer']],
        ['/annotated/items/{any}', ['PATCH'], 'acme.Stock/Echo', 'user', ['buyer']],
        ['/annotated/shelves/{any}/books/{any}:move', ['POST'], 'acme.Stock/Echo', 'user', ['buyer']],
        ['/annotated/all/**', ['GET', 'HEAD'], 'acme.Stock/Echo', 'user', ['buyer']],
        ['/annotated/watch', ['GET'], 'acme.Stock/Watch', 'user', ['buyer']],
      ],
    )
    assert.equal(routes.size, all.routes?.length)
  })
})
