/** An app with a service that stands for the outside world, opened for a test: here, since its hosts need the registry. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, it } from 'node:test'
import { anyone } from '@flotilla/core/access'
import { defineApp } from '@flotilla/core/app'
import { defineContract } from '@flotilla/core/contract'
import { query } from '@flotilla/core/operation'
import { Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { openTestApp, testPlacements } from '@flotilla/core/test-app'
import { registryService } from './service.ts'

const till = defineContract({
  name: 'till',
  version: 1,
  summary: 'Takes money.',
  operations: {
    charge: query({
      summary: 'Asks the bank.',
      access: anyone,
      output: Type.Object({ text: Type.String() }),
    }),
  },
})

const tillService = defineService({
  contract: till,
  config: Type.Object({ bankUrl: Type.String(), bankKey: Type.String({ minLength: 16 }) }),
  open: ({ config, http }) => ({
    async charge() {
      const { body } = await http.send({
        method: 'GET',
        url: config.bankUrl,
        headers: { authorization: config.bankKey },
        timeoutMs: 5_000,
      })
      return { text: body }
    },
  }),
})

/** Outside the house: knows nobody, and nobody imports it. */
const bankService = defineService({
  contract: defineContract({ name: 'bank', version: 1, summary: 'Has money.', operations: {} }),
  config: Type.Object({ port: Type.Integer(), apiKey: Type.String(), hookUrl: Type.String() }),
  async open({ config, closing }) {
    const server = createServer(({ headers }, response) => {
      response.end(headers.authorization === config.apiKey ? `call me at ${config.hookUrl}` : 'who are you?')
    })
    await new Promise<void>((resolve) => server.listen(config.port, '127.0.0.1', resolve))
    closing.defer('bank', async () => void server.close())
    return {}
  },
})

const app = defineApp({
  name: 'house',
  folder: '.',
  services: {
    registry: async () => registryService,
    till: async () => tillService,
    bank: async () => bankService,
  },
  outside: [
    {
      service: 'bank',
      port: 8070,
      tells: [
        { service: 'till', field: 'bankUrl', value: 'http://127.0.0.1:{port}' },
        { service: 'bank', field: 'hookUrl', value: 'http://127.0.0.1:{gateway}/hooks' },
      ],
    },
  ],
  secrets: [
    { service: 'till', field: 'bankKey', name: 'bank key' },
    { service: 'bank', field: 'apiKey', name: 'bank key' },
  ],
})

describe('openTestApp', () => {
  for (const placement of testPlacements) {
    it(`runs services that stand for the outside world, with ports and secrets of the test's own, ${placement}`, async (t) => {
      const environment = { GATEWAY_PORT: '1234' }
      const [one, two] = await Promise.all([1, 2].map(() => openTestApp(t, { app, placement, environment })))
      for (const opened of [one, two])
        assert.deepEqual(await opened?.call(till).charge(), {
          text: 'call me at http://127.0.0.1:1234/hooks',
        })
    })
  }

  it('leaves alone what the test has chosen', async (t) => {
    const environment = { TILL_BANK_KEY: 'the key of somebody else' }
    const { call } = await openTestApp(t, { app, placement: 'one process', environment })
    assert.deepEqual(await call(till).charge(), { text: 'who are you?' })
  })
})
