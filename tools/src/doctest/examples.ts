/**
 * Examples in the documentation that are run as tests: every `ts` block below an `@example` in the doc comments of
 * packages/, and in Markdown every block whose fence says `ts run`.
 *
 * @module
 */
import { isTestPath } from '../tidy/paths.ts'
import type { Repository } from '../tidy/repository.ts'

/** One example. */
export interface Example {
  /** The file it stands in. */
  readonly path: string
  /** The line of that file on which its code starts, from 2. */
  readonly line: number
  /** What follows `@example` on its line; '' for none. */
  readonly title: string
  readonly code: string
}

/** All examples of the repository that are to be run, by path and line. */
export function examplesOf(repository: Repository): Example[] {
  const inCode = repository
    .sources()
    .filter(({ path }) => /^packages\/[^/]+\/src\//.test(path) && !isTestPath(path))
    .flatMap(({ path, comments }) =>
      comments.filter(isDocComment).flatMap((comment) => {
        const lines = comment.value.split('\n').map((text) => text.replace(/^\s*\* ?/, ''))
        return blocksIn(path, lines, comment.loc?.start.line ?? 1, /^\s*```ts\s*$/, false)
      }),
    )
  const inPages = repository.paths
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) =>
      blocksIn(path, (repository.text(path) ?? '').split('\n'), 1, /^\s*```ts run\s*$/, true),
    )
  return [...inCode, ...inPages]
}

/** The blocks that start with the fence `opening`, everywhere or only below `@example`; `firstLine` is that of lines[0]. */
function blocksIn(
  path: string,
  lines: readonly string[],
  firstLine: number,
  opening: RegExp,
  isEverywhere: boolean,
): Example[] {
  const found: Example[] = []
  let isExample = isEverywhere
  let title = ''
  let open: { readonly isRun: boolean; readonly from: number } | undefined
  for (const [index, text] of lines.entries()) {
    if (open) {
      if (!/^\s*```\s*$/.test(text)) continue
      const code = lines.slice(open.from, index).join('\n')
      if (open.isRun) found.push({ path, line: firstLine + open.from, title, code })
      open = undefined
    } else if (/^\s*```/.test(text)) {
      open = { isRun: isExample && opening.test(text), from: index + 1 }
    } else if (!isEverywhere && text.startsWith('@')) {
      const match = /^@example\b\s*(.*)/.exec(text)
      isExample = match !== null
      title = match?.[1]?.trim() ?? ''
    }
  }
  return found
}

function isDocComment(comment: { readonly type: string; readonly value: string }): boolean {
  return comment.type === 'CommentBlock' && comment.value.startsWith('*')
}
