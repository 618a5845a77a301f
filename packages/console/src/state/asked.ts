/**
 * What the server was asked, kept up to date: asked again when the question changes and at every tick. What is there stays on the screen
 * until there is something newer.
 *
 * @module
 */
import { useEffect, useRef, useState } from 'preact/hooks'
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

/** Answers that were shown last, for going back to a page. */
const recent = new Map<string, unknown>()
const RECENT_MAX = 40

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
  const work = useRef<{ asked: number; shown: number; underWay: AbortController[] }>({
    asked: 0,
    shown: 0,
    underWay: [],
  }).current
  const momentMs = presentMs.value
  // Dependencies: the tick and `times` are why it is asked again
  useEffect(() => {
    if (input === undefined || recentKey === undefined) return
    const number = ++work.asked
    const abort = new AbortController()
    work.underWay.push(abort)
    if (work.underWay.length > UNDER_WAY_MAX) work.underWay.shift()?.abort()
    const show = (data: Api[Id]['output'] | undefined, error: ApiError | undefined): void => {
      work.underWay = work.underWay.filter((one) => one !== abort)
      if (number < work.shown || abort.signal.aborted) return
      work.shown = number
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
