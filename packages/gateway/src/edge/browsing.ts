/**
 * What an operation gives a browser to keep, and where it sends it: `Browsing` of its route.
 *
 * @module
 */
import { cookieName, cookieOf, setCookie } from '@flotilla/core/cookie'
import type { Operation } from '@flotilla/core/operation'
import { cookiesIn } from '../match/cookies.ts'
import type { RequestHead } from '../match/request-head.ts'
import { type Answer, emptyAnswer, privateAnswer } from './answer.ts'

/** The same for a route of the edge. */
export interface RouteBrowsing {
  /** What the browser keeps; undefined: nothing that we gave it. */
  cookieOf(head: Pick<RequestHead, 'rawHeaders'>): string | undefined
  answer(output: Readonly<Record<string, unknown>>): Answer
}

/** @param isSecure whether browsers come by TLS */
export function browsingOf(operation: Operation, isSecure: boolean): RouteBrowsing | undefined {
  const browsing = operation.rest?.browsing
  if (browsing === undefined) return undefined
  const { cookie: field, maxAgeS, location } = browsing
  const name = cookieName(operation.service, field)
  const { status } = operation.rest as NonNullable<Operation['rest']>
  return {
    cookieOf: ({ rawHeaders }) => cookieOf(cookiesIn(rawHeaders), name, isSecure),
    answer({ [field]: value, ...output }) {
      const headers = ['set-cookie', setCookie(name, value as string, maxAgeS, isSecure)]
      const to = location === undefined ? undefined : (output[location] as string | undefined)
      if (to !== undefined) return emptyAnswer(status, ['location', to, ...headers])
      const here = location === undefined ? status : 200
      return privateAnswer(here, 'application/json', JSON.stringify(output), headers)
    },
  }
}
