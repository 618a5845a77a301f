/**
 * What the server was asked, kept up to date: asked again when the question changes and at every tick. What is there stays on the screen
 * until there is something newer.
 *
 * @module
 */
import { useEffect, useRef, useState } from 'preact/hooks'
import { after } from '../browser/browser.ts'
import { type Api, ApiError, ask, type OperationId } from './api.ts'
import { presentMs } from './place.ts'

/** An answer, or the lack of one. */
export interface Asked<T> {
  readonly data: T | undefined
  /** Why the last attempt failed; there may be older data all the same. */
  readonly error: ApiError | undefined
  /** Asks at once: something was changed. */
  readonly again: () => void
}

/** Requests under way for one question: a slow server is not asked more and more. */
const UNDER_WAY_MAX = 2
/** Without any answer for so long what is shown is old. The API itself gives no question more than half of it. */
const ANSWER_MS = 20_000
const NO_ANSWER = `The control process did not answer within ${ANSWER_MS / 1_000} s. What you see is old; it is asked again.`

/** Answers that were shown last, for going back to a page. */
const recent = new Map<string, unknown>()
const RECENT_MAX = 40

/** Requests are numbered, so that an older answer does not take the place of a newer one. */
interface Work {
  asked: number
  shown: number
  underWay: AbortController[]
  /** Ends the waiting for any answer; undefined while nobody waits, or it was said that there is none. */
  stopWaiting: (() => void) | undefined
}

/** The answer to a question; undefined as `input` asks nothing. */
export function useAsked<Id extends OperationId>(
  id: Id,
  input: Api[Id]['input'] | undefined,
): Asked<Api[Id]['output']> {
  const key = input === undefined ? undefined : JSON.stringify(input)
  const recentKey = key === undefined ? undefined : `${id} ${withoutMoments(key)}`
  const [state, setState] = useState<{ data: Api[Id]['output'] | undefined; error: ApiError | undefined }>(
    () => ({
      // By the id of the operation, so it is that one's.
      data: recentKey === undefined ? undefined : (recent.get(recentKey) as Api[Id]['output'] | undefined),
      error: undefined,
    }),
  )
  const [times, setTimes] = useState(0)
  const work = useRef<Work>({ asked: 0, shown: 0, underWay: [], stopWaiting: undefined }).current
  const momentMs = presentMs.value
  // Dependencies: the tick and `times` are why it is asked again
  useEffect(() => {
    if (input === undefined || recentKey === undefined) return
    const number = ++work.asked
    const abort = new AbortController()
    work.underWay.push(abort)
    if (work.underWay.length > UNDER_WAY_MAX) work.underWay.shift()?.abort()
    const wait = (): void => {
      work.stopWaiting ??= after(ANSWER_MS, () => {
        work.stopWaiting = undefined
        setState((before) => ({ ...before, error: new ApiError('deadline_exceeded', NO_ANSWER) }))
      })
    }
    wait()
    const show = (data: Api[Id]['output'] | undefined, error: ApiError | undefined): void => {
      work.underWay = work.underWay.filter((one) => one !== abort)
      if (number < work.shown || abort.signal.aborted) return
      work.shown = number
      work.stopWaiting?.()
      work.stopWaiting = undefined
      if (work.underWay.length > 0) wait()
      if (error === undefined) keepRecent(recentKey, data)
      setState((before) => ({ data: error === undefined ? data : before.data, error }))
    }
    ask(id, input, abort.signal).then(
      (data) => show(data, undefined),
      (error: unknown) =>
        show(undefined, error instanceof ApiError ? error : new ApiError('internal', String(error))),
    )
  }, [key, momentMs, times])
  useEffect(
    () => () => {
      work.stopWaiting?.()
      for (const abort of work.underWay) abort.abort()
    },
    [work],
  )
  return { ...state, again: () => setTimes((before) => before + 1) }
}

/** A question asked again a little later is the same question. */
function withoutMoments(key: string): string {
  return key.replace(/"(?:fromMs|toMs|windowMs)":[\d.]+,?/g, '')
}

function keepRecent(key: string, data: unknown): void {
  recent.delete(key)
  recent.set(key, data)
  for (const oldest of recent.keys()) {
    if (recent.size <= RECENT_MAX) break
    recent.delete(oldest)
  }
}
