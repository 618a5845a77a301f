import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type GatewayPolicies, gatewayPoliciesCheck } from './gateway-policies.ts'
import { mistakesInRoutes } from './route-policies.ts'

const stock = { proto: './stock.proto', targets: ['http://10.0.0.4:50051'] }
const route = {
  match: { path: '/api/v1/stock/{sku}', methods: ['GET'] },
  grpc: { name: 'stock', method: 'acme.Stock/Get' },
  access: 'anyone',
}

describe('Policies of gRPC servers', () => {
  const mistakes = (more: object, server: object = stock): readonly string[] => {
    const policies = { grpc: { stock: server }, routes: [{ ...route, ...more }] } as GatewayPolicies
    const issues = gatewayPoliciesCheck(policies)?.map(({ pointer }) => pointer)
    return issues ?? mistakesInRoutes(policies, [])
  }

  it('are taken where there is no mistake', () => {
    assert.deepEqual(mistakes({}), [])
    assert.deepEqual(
      mistakes({ timeoutMs: 5, roles: ['a'], limit: { perMinute: 1 }, request: [{ drop: '/a' }] }),
      [],
    )
  })

  for (const [more, pointer] of [
    [{ grpc: { ...route.grpc, name: 'none' } }, '/routes/0/grpc/name'],
    [{ access: undefined }, '/routes/0/access'],
    [{ match: { path: '/a' } }, '/routes/0/match'],
    [{ sticky: 'user' }, '/routes/0/sticky'],
    [{ upstream: { name: 'stock' } }, '/routes/0/grpc'],
    [{ to: [{ operation: 'a.b' }] }, '/routes/0/grpc'],
    [{ response: [{ enrich: { at: '/a', from: 'a.b', input: { a: 'b' } } }] }, '/routes/0/grpc'],
    [{ grpc: { ...route.grpc, method: 'Get' } }, '/routes/0/grpc/method'],
    [{ grpc: { ...route.grpc, body: 'a.b' } }, '/routes/0/grpc/body'],
    [{ grpc: { ...route.grpc, bodies: '*' } }, '/routes/0/grpc'],
  ] as const)
    it(`are refused with ${JSON.stringify(more)}`, () => {
      const [first = ''] = mistakes(more)
      assert.ok(first.startsWith(pointer), first)
    })

  for (const [server, pointer] of [
    [{ ...stock, targets: ['10.0.0.4:50051'] }, '/grpc/stock/targets/0'],
    [{ ...stock, targets: [] }, '/grpc/stock/targets'],
    [{ targets: stock.targets }, '/grpc/stock'],
    [{ ...stock, annotated: {} }, '/grpc/stock/annotated'],
  ] as const)
    it(`are refused with a server ${JSON.stringify(server)}`, () => {
      const [first = ''] = mistakes({}, server)
      assert.ok(first.startsWith(pointer), first)
    })
})
