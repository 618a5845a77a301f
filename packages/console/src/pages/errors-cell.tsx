/**
 * A share of errors in a table: with a mark where there are any.
 *
 * @module
 */
import type { JSX } from 'preact'
import { share } from '../format/figures.ts'
import { Mark } from '../parts/marks.tsx'
import { errorTone, type Red } from './red.ts'

/** The cell. */
export function errorsCell({ rate, errorShare }: Red): JSX.Element | string {
  const tone = errorTone(errorShare)
  if (tone === undefined) return rate === 0 ? '–' : share(0)
  return <Mark tone={tone} word={share(errorShare)} />
}
