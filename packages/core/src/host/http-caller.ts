/**
 * Who is calling over a service's HTTP face.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import type { Caller } from '../kernel/caller.ts'
import { headers } from '../wire/http/http-headers.ts'
import type { Trust } from '../wire/trust.ts'

/** Reads the caller from headers; each claim must be proven by a credential beside it. */
export function httpCaller(trust: Trust): (incoming: IncomingMessage) => Caller {
  return (incoming) => {
    const authorization = incoming.headers[headers.authorization] ?? ''
    const credential = authorization.startsWith('Bearer ') ? authorization.slice('Bearer '.length) : undefined
    const claims = credential === undefined ? undefined : trust.process(credential)
    return trust.caller(
      claims,
      textOf(incoming.headers[headers.caller]),
      textOf(incoming.headers[headers.user]),
    )
  }
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
