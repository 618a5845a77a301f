import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Target } from './collector.ts'
import { prometheusTargets } from './prometheus-targets.ts'

const OWN = '127.0.0.1:8090'
const control = {
  targets: [OWN],
  labels: { process: 'control', host: 'control', instance: 'control' },
}

const target = (process: string, instance: string, port: number | undefined): Target => ({
  process,
  host: process.split('-')[0] as string,
  instance,
  http: port === undefined ? '' : `http://127.0.0.1:${port}`,
  isReady: port !== undefined,
})

const told = (process: string, instance: string, port: number) => ({
  targets: [`127.0.0.1:${port}`],
  labels: { process, host: process.split('-')[0], instance },
})

describe('prometheusTargets', () => {
  it('tells every process with the labels of our own series, and this one', () => {
    const { status, contentType, body } = prometheusTargets(() => [target('cart-1', 'cart-1-1a', 4001)])(OWN)
    assert.deepEqual([status, contentType], [200, 'application/json'])
    assert.deepEqual(JSON.parse(body as string), [control, told('cart-1', 'cart-1-1a', 4001)])
  })

  it('leaves out who has never had an address, tells the old one of who is away, and forgets who is to be no more', () => {
    let now: readonly Target[] = [target('cart-1', 'cart-1-1a', undefined)]
    const page = prometheusTargets(() => now)
    const ask = (): unknown => JSON.parse(page(OWN).body as string)
    assert.deepEqual(ask(), [control])
    now = [target('cart-1', 'cart-1-1a', 4001), target('cart-2', 'cart-2-1a', 4002)]
    assert.deepEqual(ask(), [control, told('cart-1', 'cart-1-1a', 4001), told('cart-2', 'cart-2-1a', 4002)])
    now = [target('cart-1', 'cart-1-2b', undefined)]
    assert.deepEqual(ask(), [control, told('cart-1', 'cart-1-1a', 4001)])
    now = [target('cart-1', 'cart-1-2b', 4003), target('cart-2', 'cart-2-1c', undefined)]
    assert.deepEqual(ask(), [control, told('cart-1', 'cart-1-2b', 4003)])
  })
})
