/**
 * One difference between two versions of a contract, and the verdict on it.
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { show } from './narrowings.ts'

/** One difference between two versions. */
export interface Change {
  /** Where, as a JSON pointer into the descriptions; a field that has become required is at `/required/<name>`. */
  readonly path: string
  /** What has changed: `100 became 50`, `added …`, `removed …`. */
  readonly what: string
  readonly isBreaking: boolean
  /** Why callers break, or why they do not. */
  readonly why: string
}

/** Is a change breaking, and why? */
export type Verdict = Pick<Change, 'isBreaking' | 'why'>

/** Callers written against the old version notice. */
export const breaking = (why: string): Verdict => ({ isBreaking: true, why })
/** They do not. */
export const compatible = (why: string): Verdict => ({ isBreaking: false, why })
/** Of texts. */
export const onlyWords = compatible('words for people only')

/** The change of one value, if it is one; undefined stands for nothing there. */
export function changed(path: string, before: unknown, after: unknown, verdict: Verdict): readonly Change[] {
  return isDeepStrictEqual(before, after) ? [] : [changeOf(path, before, after, verdict)]
}

/** The change of one value that is one. */
export function changeOf(path: string, before: unknown, after: unknown, verdict: Verdict): Change {
  // Fields without a schema that are taken on one side and refused on the other: there is nothing to show of either.
  if (before === undefined && after === undefined) return { path, what: 'changed', ...verdict }
  if (before === undefined) return { path, what: `added${shortly(after)}`, ...verdict }
  if (after === undefined) return { path, what: `removed${shortly(before)}`, ...verdict }
  return { path, what: `${show(before)} became ${show(after)}`, ...verdict }
}

/** A whole operation or schema says nothing that its path does not. */
function shortly(value: unknown): string {
  return typeof value === 'object' && value !== null ? '' : ` ${show(value)}`
}
