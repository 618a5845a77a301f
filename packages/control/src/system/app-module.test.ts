import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { defineContract } from '@flotilla/core/contract'
import { isFlotillaError } from '@flotilla/core/error'
import { defineService, type Service } from '@flotilla/core/service'
import { loadApp, placeable } from './app-module.ts'

/** A checkout with an app in it, built or not. */
function makeCheckout(t: TestContext, isBuilt: boolean): string {
  const root = mkdtempSync(join(tmpdir(), 'flotilla-checkout-'))
  t.after(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, 'apps/shop/bundle'), { recursive: true })
  writeFileSync(
    join(root, 'package.json'),
    JSON.stringify({ version: '1.2.3', flotilla: { app: 'apps/shop' } }),
  )
  writeFileSync(join(root, 'apps/shop/package.json'), '{"type":"module"}')
  if (isBuilt) {
    writeFileSync(join(root, 'apps/shop/bundle/main.js'), '')
    writeFileSync(join(root, 'apps/shop/bundle/app.js'), `export const app = { name: 'shop', services: {} }`)
  }
  return root
}

const isRefusal = (pattern: RegExp) => (error: unknown) =>
  isFlotillaError(error) && error.code === 'failed_precondition' && pattern.test(error.message)

describe('loadApp', () => {
  it('finds the app of the checkout from any folder in it', async (t) => {
    const root = makeCheckout(t, true)
    const found = await loadApp(join(root, 'apps/shop/bundle'))
    assert.equal(found.app.name, 'shop')
    assert.equal(found.root, root)
    assert.equal(found.version, '1.2.3')
    assert.equal(found.main, join(root, 'apps/shop/bundle/main.js'))
  })

  it('says that there is none, or that it is not built', async (t) => {
    const root = makeCheckout(t, false)
    await assert.rejects(loadApp(root), isRefusal(/is not built; run: npm run build$/))
    await assert.rejects(loadApp(tmpdir()), isRefusal(/^No app here: no package.json at or above/))
  })
})

describe('placeable', () => {
  const serviceCalling = (name: string, ...calls: Service[]): Service =>
    defineService({
      contract: defineContract({ name, version: 1, summary: name, operations: {} }),
      calls: calls.map(({ contract }) => contract),
      open: () => ({}),
    })

  it('makes everybody need the registry, where there is one, and itself nothing', () => {
    const [registry, cart] = [serviceCalling('registry'), serviceCalling('cart')]
    const gateway = serviceCalling('gateway', cart)
    const all = new Map([registry, cart, gateway].map((service) => [service.contract.name, service]))
    assert.deepEqual(placeable({}, all), [
      { name: 'registry', calls: [], isSingle: true, isOutside: false },
      { name: 'cart', calls: ['registry'], isSingle: false, isOutside: false },
      { name: 'gateway', calls: ['registry', 'cart'], isSingle: true, isOutside: false },
    ])
    all.delete('registry')
    assert.deepEqual(placeable({}, all)[1]?.calls, ['cart'])
    const outside = [{ service: 'cart', port: 8070 }]
    assert.deepEqual(placeable({ outside }, all)[0], {
      name: 'cart',
      calls: [],
      isSingle: true,
      isOutside: true,
    })
  })
})
