import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findings } from './findings.ts'

const pages = [
  { title: 'Overview', path: '/' },
  { title: 'Services', path: '/services' },
]
const find = (text: string): string[] => findings(text, pages, ['orders', 'payments']).map(({ path }) => path)

describe('findings', () => {
  it('begins with the pages', () => {
    assert.deepEqual(find(''), ['/', '/services', '/services/orders', '/services/payments'])
  })

  it('finds by a part, those that begin with it first, and offers logs and traces', () => {
    assert.deepEqual(find('pay'), ['/services/payments', '/logs', '/traces'])
    assert.deepEqual(find('er'), ['/services', '/', '/services/orders', '/logs', '/traces'])
  })

  it('knows a trace by its id', () => {
    const id = 'a'.repeat(32)
    assert.equal(find(id.toUpperCase())[0], `/traces/${id}`)
  })
})
