/**
 * What stands where there is nothing to show: it is being asked for, there is none, or asking failed. Each says what to do.
 *
 * @module
 */
import type { ComponentChildren, JSX } from 'preact'
import type { Asked } from '../state/asked.ts'

/** Grey lines. */
export function Waiting(): JSX.Element {
  return (
    <div class="waiting" role="status">
      <i />
      <i />
      <i />
      <span class="sr">Loading</span>
    </div>
  )
}

/** There is nothing; `children` say what to do about it. */
export function Empty({
  title,
  children,
}: {
  readonly title: string
  readonly children?: ComponentChildren
}): JSX.Element {
  return (
    <div class="quiet">
      <strong>{title}</strong>
      {children}
    </div>
  )
}

/** The list above was cut; `children` say how to see the rest. */
export function More({
  shown,
  children,
}: {
  readonly shown: number
  readonly children: ComponentChildren
}): JSX.Element {
  return (
    <p class="quiet">
      There are more than these {shown}: {children}
    </p>
  )
}

/** Asking failed. */
export function Failed({
  error,
  again,
}: {
  readonly error: Error
  readonly again?: () => void
}): JSX.Element {
  return (
    <div class="failed" role="alert">
      <span>{error.message}</span>
      {again && (
        <button type="button" class="button small" onClick={again}>
          Try again
        </button>
      )}
    </div>
  )
}

/** Shows an answer, or what stands in its place. Older data is shown with the failure above it. */
export function Answer<T>({
  asked,
  children,
}: {
  readonly asked: Asked<T>
  readonly children: (data: T) => ComponentChildren
}): JSX.Element {
  const { data, error, again } = asked
  return (
    <>
      {error && <Failed error={error} again={again} />}
      {data === undefined ? !error && <Waiting /> : children(data)}
    </>
  )
}
