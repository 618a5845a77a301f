/**
 * What the operator makes of a JSON body: pure steps (`policy/transform.ts`), and those that ask a service for more.
 *
 * A part that cannot be had is null, and where the body is an object its `partial` names it, as in answers that are put together by a
 * service (`aggregate/together.ts`).
 *
 * @module
 */
import type { CallContext } from '@flotilla/core/context'
import { isFlotillaError } from '@flotilla/core/error'
import {
  eachParent,
  type Fields,
  isObject,
  type Known,
  put,
  type Step,
  transform,
} from '../policy/transform.ts'
import type { Route } from './route.ts'

/** So many calls for one step of one answer at the most; what is the same is asked once. */
const CALLS_MAX = 50

type Enrich = Extract<Step, { enrich: unknown }>['enrich']

/** Asks an operation by its id. */
export type AskFor = (operation: string, input: unknown) => Promise<unknown>

/** True when what the steps add depends on who asks. */
export function tellsOfClient(steps: readonly Step[]): boolean {
  return steps.some((step) => 'tell' in step || 'enrich' in step)
}

/** The body after all steps: at once, where nobody has to be asked. */
export function changeBody(
  steps: readonly Step[],
  body: unknown,
  known: Known,
  askFor: AskFor,
): unknown | Promise<unknown> {
  return steps.some((step) => 'enrich' in step)
    ? changeStepwise(steps, body, known, askFor)
    : transform(steps, body, known)
}

async function changeStepwise(
  steps: readonly Step[],
  body: unknown,
  known: Known,
  askFor: AskFor,
): Promise<unknown> {
  let its = body
  for (const step of steps) {
    its = transform([step], its, known)
    if ('enrich' in step) await enrich(step.enrich, its, askFor)
  }
  return its
}

async function enrich({ at, from, input }: Enrich, body: unknown, askFor: AskFor): Promise<void> {
  const asked = new Map<string, Promise<unknown>>()
  const parents: { readonly parent: Fields; readonly name: string; readonly answer: Promise<unknown> }[] = []
  eachParent(body, at, (parent, name) => {
    const fields = Object.entries(input).map(([field, of]) => [field, parent[of]] as const)
    const its = Object.fromEntries(fields.filter(([, value]) => value !== undefined))
    const key = JSON.stringify(its)
    const answer = asked.get(key) ?? (asked.size < CALLS_MAX ? askFor(from, its) : Promise.reject(TOO_MANY))
    asked.set(key, answer)
    parents.push({ parent, name, answer })
  })
  const settled = await Promise.allSettled(parents.map(({ answer }) => answer))
  let reason: string | undefined
  for (const [index, { parent, name }] of parents.entries()) {
    const result = settled[index] as PromiseSettledResult<unknown>
    put(parent, name, result.status === 'fulfilled' ? result.value : null)
    if (result.status === 'rejected') reason ??= reasonOf(result.reason)
  }
  if (reason === undefined || !isObject(body)) return
  const partial = Array.isArray(body['partial']) ? (body['partial'] as unknown[]) : []
  put(body, 'partial', [...partial, { part: at, reason }])
}

const TOO_MANY = Symbol('more calls than one answer may cause')

/** Whoever asks is who was refused, so they may know why. */
function reasonOf(error: unknown): string {
  if (error === TOO_MANY) return 'resource_exhausted'
  return isFlotillaError(error) ? error.code : 'internal'
}

/** Asks within the call that is being answered, as whoever asks. */
export function askWithin(sources: ReadonlyMap<string, Route>, context: CallContext): AskFor {
  return (id, input) =>
    new Promise((resolve, reject) => {
      // The checks of the policy file have seen that it is there.
      const { passOn } = sources.get(id) as Route
      passOn.call(input, context, {}, (reply) => {
        if (reply.error === undefined) resolve(reply.value)
        else reject(reply.error)
      })
    })
}
