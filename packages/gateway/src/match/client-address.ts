/**
 * Whom a request comes from, as an address that the client cannot choose.
 *
 * @module
 */
import { BlockList, isIP } from 'node:net'

/** Finds the client's address. */
export type AddressOf = (remoteAddress: string, forwardedFor: string | undefined) => string

/**
 * The client is the other end of the connection, unless that is one of our own proxies: then the last entry of
 * `X-Forwarded-For` that is not one of ours. Entries further left were written by the client and prove nothing.
 *
 * @param trustedProxies addresses and ranges (`10.0.0.0/8`) whose `X-Forwarded-For` is believed.
 */
export function clientAddress(trustedProxies: readonly string[]): AddressOf {
  if (trustedProxies.length === 0) return plainAddress
  const trusted = new BlockList()
  for (const entry of trustedProxies) {
    const [address = '', bits] = entry.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) trusted.addAddress(address, family)
    else trusted.addSubnet(address, Number(bits), family)
  }
  const isTrusted = (address: string): boolean =>
    trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  return (remoteAddress, forwardedFor) => {
    let address = plainAddress(remoteAddress)
    const hops = (forwardedFor ?? '').split(',').map((hop) => hop.trim())
    while (isTrusted(address)) {
      const hop = hops.pop()
      // What is not an address says nothing; the proxy itself is the best that is known.
      if (hop === undefined || isIP(hop) === 0) return address
      address = plainAddress(hop)
    }
    return address
  }
}

/** IPv4 addresses that arrived on an IPv6 socket, written the usual way. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}

/** What limits count by: an IPv4 address, or the /64 of an IPv6 one, all of which is one customer's. */
export function addressGroup(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = tail === undefined ? 0 : Math.max(0, 8 - groups.length - last.length)
  const full = [...groups, ...Array.from({ length: missing }, () => '0'), ...last]
  // Proxies differ in how they write an address: capitals, leading zeros.
  const network = full.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  return `${network.join(':')}::/64`
}
