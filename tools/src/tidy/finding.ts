/**
 * What a check has to say.
 *
 * @module
 */

/** One thing to mend. */
export interface Finding {
  /** From the root of the repository, with `/`. */
  readonly path: string
  /** From 1. */
  readonly line: number
  /** What is wrong and, where it is not obvious, what to do instead. */
  readonly message: string
}

/** The finding as editors and terminals understand it: `path:line message`. */
export function findingText({ path, line, message }: Finding): string {
  return `${path}:${line} ${message}`
}
