import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, it } from 'node:test'
import { anyone } from '../contract/access.ts'
import { defineContract } from '../contract/contract.ts'
import { query } from '../contract/operation.ts'
import { Nothing, Type } from '../contract/schema.ts'
import { defineService } from '../service/definition.ts'
import { findFreePort } from '../testing/free-port.ts'
import { openTestApp } from '../testing/test-app.ts'
import { defineApp } from './app.ts'

const contractOf = <N extends string>(name: N) =>
  defineContract({
    name,
    version: 1,
    summary: 'Works.',
    operations: {
      ask: query({
        summary: 'Asks a server.',
        access: anyone,
        input: Type.Object({ url: Type.String(), isTraced: Type.Boolean() }),
        output: Nothing,
      }),
    },
  })

const [shop, bank] = [contractOf('shop'), contractOf('bank')] as const
const url = Type.String({ default: '' })

const app = defineApp({
  name: 'test',
  folder: '.',
  services: {
    shop: async () =>
      defineService({
        contract: shop,
        config: Type.Object({ bankUrl: url }),
        open: ({ http, config }) => ({
          async ask({ url: path, isTraced }, ctx) {
            const request = {
              method: 'GET',
              url: new URL(path, config.bankUrl).href,
              timeoutMs: 2_000,
            } as const
            // How it ends is what is counted.
            await http.send(isTraced ? { ...request, trace: ctx.trace } : request).catch(() => {})
            return {}
          },
        }),
      }),
    bank: async () =>
      defineService({
        contract: bank,
        config: Type.Object({ port: Type.Integer(), gatewayUrl: url }),
        async open({ config, closing, http }) {
          const server = createServer(({ url: path }, response) => {
            response.writeHead(path === '/broken' ? 500 : path === '/refused' ? 402 : 200).end()
          })
          await new Promise<void>((resolve) => server.listen(config.port, '127.0.0.1', resolve))
          closing.defer('bank', async () => void server.close())
          return {
            async ask() {
              // Nobody is there.
              await http.send({ method: 'GET', url: config.gatewayUrl, timeoutMs: 2_000 }).catch(() => {})
              return {}
            },
          }
        },
      }),
  },
  outside: [
    {
      service: 'bank',
      port: 8070,
      tells: [
        { service: 'shop', field: 'bankUrl', value: 'http://127.0.0.1:{port}' },
        { service: 'bank', field: 'gatewayUrl', value: 'http://127.0.0.1:{gateway}' },
      ],
    },
  ],
})

describe('openOutside', () => {
  it('names the servers of the app, shows who will ask them, and counts how requests end, traced or not', async (t) => {
    const { call, hostOf } = await openTestApp(t, { app, placement: 'one process' })
    const { metrics } = hostOf('shop')
    const told = (name: string): string[] =>
      metrics
        .toPrometheus()
        .split('\n')
        .filter((line) => line.startsWith(`flotilla_outside_${name}{`))
    assert.deepEqual(told('pending'), ['flotilla_outside_pending{caller="shop",peer="bank"} 0'])
    const port = await findFreePort()
    const its = call(shop)
    for (const path of ['/', '/refused', '/broken', `http://127.0.0.1:${port}/`]) {
      for (const isTraced of [true, false]) await its.ask({ url: path, isTraced })
    }
    assert.deepEqual(told('requests_total'), [
      'flotilla_outside_requests_total{caller="shop",peer="bank",code="ok"} 4',
      'flotilla_outside_requests_total{caller="shop",peer="bank",code="unavailable"} 2',
      `flotilla_outside_requests_total{caller="shop",peer="127.0.0.1:${port}",code="unavailable"} 2`,
    ])
    await call(bank).ask({ url: '', isTraced: false })
    assert.equal(told('requests_total').at(-1)?.includes('caller="bank",peer="gateway"'), true)
    assert.deepEqual(told('duration_seconds_count').slice(0, 2), [
      'flotilla_outside_duration_seconds_count{caller="shop",peer="bank"} 6',
      `flotilla_outside_duration_seconds_count{caller="shop",peer="127.0.0.1:${port}"} 2`,
    ])
    assert.ok(told('pending').every((line) => line.endsWith(' 0')))
  })
})
