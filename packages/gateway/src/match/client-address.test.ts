import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { addressGroup, clientAddress } from './client-address.ts'

const PROXY = '10.1.2.3'
const outside = fc.ipV4().filter((address) => !address.startsWith('10.'))

describe('clientAddress', () => {
  it('is the other end of the connection where no proxy is trusted', () => {
    const addressOf = clientAddress([])
    fc.assert(
      fc.property(fc.ipV4(), fc.string(), (address, forwarded) => {
        assert.equal(addressOf(address, forwarded), address)
        assert.equal(addressOf(`::ffff:${address}`, forwarded), address)
      }),
    )
  })

  it('is nothing that the client wrote, however many hops it makes up', () => {
    const addressOf = clientAddress(['10.0.0.0/8'])
    const madeUp = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constant(PROXY))
    fc.assert(
      fc.property(outside, fc.array(madeUp), fc.integer({ min: 0, max: 3 }), (client, claims, proxies) => {
        const hops = [...claims, client, ...Array.from({ length: proxies }, (_, index) => `10.0.0.${index}`)]
        assert.equal(addressOf(PROXY, hops.join(', ')), client)
        assert.equal(addressOf(client, hops.join(',')), client)
      }),
    )
  })

  it('is the proxy where the hop before it is no address', () => {
    const addressOf = clientAddress([PROXY, '2001:db8::/32'])
    for (const forwarded of [undefined, '', 'unknown', '1.1.1.1:80', '1.1.1.1, _hidden', '256.1.1.1']) {
      assert.equal(addressOf(PROXY, forwarded), PROXY)
    }
    assert.equal(addressOf('2001:db8::1', '1.1.1.1'), '1.1.1.1')
    assert.equal(addressOf('::ffff:10.1.2.3', '1.1.1.1'), '1.1.1.1')
  })
})

describe('addressGroup', () => {
  it('leaves IPv4 addresses alone', () => {
    fc.assert(fc.property(fc.ipV4(), (address) => assert.equal(addressGroup(address), address)))
  })

  it('is the same for a whole /64, however its addresses are written', () => {
    const groups = fc.array(fc.integer({ min: 1, max: 0xffff }), { minLength: 8, maxLength: 8 })
    fc.assert(
      fc.property(groups, groups, (one, other) => {
        const network = one.slice(0, 4)
        const plain = [...network, ...other.slice(4)].map((group) => group.toString(16)).join(':')
        const padded = one.map((group) => group.toString(16).padStart(4, '0').toUpperCase()).join(':')
        const short = `${network.map((group) => group.toString(16)).join(':')}::1`
        assert.equal(addressGroup(plain), addressGroup(padded))
        assert.equal(addressGroup(plain), addressGroup(short))
        const next = [...network.slice(0, 3), ((network[3] as number) % 0xffff) + 1, ...other.slice(4)]
        assert.notEqual(addressGroup(next.map((group) => group.toString(16)).join(':')), addressGroup(plain))
      }),
    )
    fc.assert(
      fc.property(groups, fc.nat(7), fc.integer({ min: 1, max: 8 }), (some, from, length) => {
        const zeroed = some.map((group, index) => (index >= from && index < from + length ? 0 : group))
        const hex = zeroed.map((group) => group.toString(16))
        const short = `${hex.slice(0, from).join(':')}::${hex.slice(from + length).join(':')}`
        assert.equal(addressGroup(short), addressGroup(hex.join(':')))
      }),
    )
    assert.equal(addressGroup('::1'), '0:0:0:0::/64')
    assert.equal(addressGroup('2001:db8::'), '2001:db8:0:0::/64')
  })
})
