/**
 * The control API: what can be asked, and how. Of the contracts only the types are taken, so that none of their code is in the page.
 *
 * @module
 */

import type { controlContract } from '@flotilla/control/contract'
import type { observeContract } from '@flotilla/control/observe-contract'
import type { InputOf, Operation, OutputOf } from '@flotilla/core/operation'
import { signal } from '@preact/signals'
import { pause, request } from '../browser/browser.ts'
import { isLoggedIn, sessionHeaders } from './session.ts'
import { Turns } from './turns.ts'

type Observe = (typeof observeContract)['operations']
type Control = (typeof controlContract)['operations']

interface Asked<O extends Operation> {
  readonly input: InputOf<O>
  readonly output: OutputOf<O>
}

/** Everything that can be asked: the id of the operation, what it takes and what it answers. */
export type Api = { readonly [K in keyof Observe & string as `observe.${K}`]: Asked<Observe[K]> } & {
  readonly [K in keyof Control & string as `control.${K}`]: Asked<Control[K]>
}

/** The id of an operation. */
export type OperationId = keyof Api

/** Why an operation did not answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError'

  readonly code: string
  /** The domain's own word, where it has one. */
  readonly reason: string | undefined

  constructor(code: string, message: string, reason?: string) {
    super(message)
    this.code = code
    this.reason = reason
  }
}

/** False while the server cannot be reached at all. */
export const isReachable = signal(true)

const turns = new Turns(3)
/** A server with too much to do is asked again a little later. */
const ATTEMPTS_MAX = 4
const BUSY_PAUSE_MS = 250

/** Asks. @throws ApiError always, but where `abort` ended it. */
export async function ask<Id extends OperationId>(
  id: Id,
  input: Api[Id]['input'],
  abort?: AbortSignal,
): Promise<Api[Id]['output']> {
  return await turns.take(async () => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const response = await send(id, input, abort)
        const text = await response.text()
        return text === '' ? {} : JSON.parse(text)
      } catch (error) {
        const isBusy = error instanceof ApiError && error.code === 'resource_exhausted'
        if (!isBusy || attempt === ATTEMPTS_MAX) throw error
      }
      await pause(BUSY_PAUSE_MS * attempt)
      if (abort?.aborted === true) throw new ApiError('canceled', 'Nobody waits for the answer any more.')
    }
  })
}

/** Sends a request; what comes back is an answer, not a refusal. @throws ApiError */
export async function send(id: string, input: unknown, abort?: AbortSignal): Promise<Response> {
  const response = await reach(id, input, abort)
  if (response.ok) return response
  if (response.status === 401) isLoggedIn.value = false
  throw errorFrom(response.status, await response.text())
}

async function reach(id: string, input: unknown, abort: AbortSignal | undefined): Promise<Response> {
  try {
    const response = await request(`/operations/${id}`, {
      method: 'POST',
      headers: { ...sessionHeaders(), 'content-type': 'application/json' },
      body: JSON.stringify(input),
      ...(abort === undefined ? {} : { signal: abort }),
    })
    isReachable.value = true
    return response
  } catch (error) {
    if (abort?.aborted === true) throw error
    isReachable.value = false
    throw new ApiError(
      'unavailable',
      'The control process does not answer. Is the system running? See: npx flotilla status',
    )
  }
}

/** What an answer that is no success says. */
export function errorFrom(status: number, text: string): ApiError {
  const problem = problemIn(text)
  const field = (name: string): string | undefined => {
    const value = problem[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const message = field('detail') ?? field('title') ?? `The server answered with status ${status}.`
  return new ApiError(field('code') ?? `status ${status}`, message, field('reason'))
}

function problemIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
