import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { testAbsentKeyValue, testKeyValue } from '@flotilla/core/key-value-conformance'
import { registryContract } from '@flotilla/core/registry'
import { RegistryKeyValue } from '@flotilla/core/registry-key-value'
import { openTestApp, type TestApp } from '@flotilla/core/test-app'
import { registryService } from './service.ts'

const app = { name: 'test', folder: '', services: { registry: async () => registryService } }

async function open(t: { after(cleanUp: () => Promise<void>): void }) {
  const opened = await openTestApp(t, { app, placement: 'frames' })
  return {
    open: () => keyValueOf(opened, 'tester'),
    takeAway: () => opened.hostOf('registry').close(),
  }
}

function keyValueOf(opened: TestApp, service: string): RegistryKeyValue {
  return new RegistryKeyValue(() => opened.call(registryContract, { service }))
}

testKeyValue('The registry', open)
testAbsentKeyValue('The registry', open)

describe('The registry', () => {
  it('keeps the values of services apart', async (t) => {
    const opened = await openTestApp(t, { app, placement: 'frames' })
    const wish = { key: 'k', policy: { perMinute: 1, burst: 3 }, count: 3 }
    for (const service of ['tester', 'registry']) {
      assert.deepEqual(await keyValueOf(opened, service).take(wish), { taken: 3, retryAfterMs: 0 })
    }
  })
})
