/**
 * A gateway for tests before a gRPC server.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { findFreePort } from '@flotilla/core/free-port'
import { openStock, type Stock, writeProtos } from '../grpc/open-stock.test.ts'
import { openTestGateway, type TestGateway } from './open-gateway.test.ts'
import { openOnce } from './open-once.test.ts'

/** The policies, with one gRPC server that is there and one that is not. */
export function stockPolicies(there: string, dead: string) {
  const to = (method: string, more = {}, name = 'stock') => ({
    grpc: { name, method: `acme.Stock/${method}`, ...more },
    access: 'anyone',
  })
  const at = (path: string, ...methods: string[]) => ({ match: { path, methods } })
  const get = (path: string) => at(path, 'GET', 'HEAD')
  const proto = './stock.proto'
  return {
    cors: { origins: ['https://shop.test'] },
    grpc: {
      stock: { proto, targets: [there], annotated: { access: 'anyone' } },
      shaky: { proto, targets: [dead, there] },
      gone: { proto, targets: [dead] },
      hasty: { proto, targets: [there], timeoutMs: 200 },
    },
    routes: [
      { ...at('/echo', 'POST'), ...to('Echo', { body: '*' }) },
      { ...at('/items/{sku}/{place.inner.shelf_number}', 'PUT'), ...to('Echo', { body: '*' }) },
      { ...get('/items/{sku}'), ...to('Echo') },
      { ...at('/items/{sku}/touched', 'POST'), ...to('Echo') },
      { ...at('/items/{parent.sku}/place', 'POST'), ...to('Echo', { body: 'place', response: 'place' }) },
      { ...get('/typed/{total}/{kind}/{is_new}/{at}/{maybe}'), ...to('Echo') },
      { ...get('/fail'), ...to('Fail') },
      { ...at('/fail', 'POST'), ...to('Fail', { body: '*' }) },
      { ...get('/slow'), ...to('Slow') },
      { ...get('/hurried'), ...to('Slow'), timeoutMs: 200 },
      { ...get('/big'), ...to('Big') },
      { ...get('/who'), ...to('WhoAsks') },
      { ...get('/mine'), ...to('WhoAsks'), access: 'user', roles: ['member'] },
      { ...at('/watch', 'GET'), ...to('Watch') },
      { ...at('/watch/briefly', 'GET'), ...to('Watch'), timeoutMs: 200 },
      { ...get('/hasty'), ...to('Slow', {}, 'hasty') },
      { ...at('/hasty/watch', 'GET'), ...to('Watch', {}, 'hasty') },
      { ...get('/shaky'), ...to('Echo', {}, 'shaky') },
      { ...get('/gone'), ...to('Echo', {}, 'gone') },
      { ...at('/gone/watch', 'GET'), ...to('Watch', {}, 'gone') },
      {
        ...at('/changed', 'POST'),
        ...to('Echo', { body: '*' }),
        request: [{ rename: { at: '/name', to: 'sku' } }],
        response: [{ envelope: 'item' }],
      },
    ],
  }
}

/** Opens both for all tests of a suite; to be asked for within a test. */
export function openWithStock(): { readonly gateway: () => TestGateway; readonly stock: () => Stock } {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-grpc-'))
  const path = join(folder, 'policies.json')
  let stock: Stock | undefined
  const gateway = openOnce(
    async (t, environment) => {
      writeProtos(folder)
      stock = await openStock(folder)
      const policies = stockPolicies(stock.origin, `http://127.0.0.1:${await findFreePort()}`)
      writeFileSync(path, JSON.stringify({ gateway: policies }))
      return openTestGateway(t, environment)
    },
    { FLOTILLA_POLICIES: path },
  )
  after(() => {
    stock?.close()
    rmSync(folder, { recursive: true })
  })
  return { gateway, stock: () => stock as Stock }
}
