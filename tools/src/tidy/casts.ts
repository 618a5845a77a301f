/**
 * A cast silences the compiler; a double one silences it wholly, so it says why it is right.
 *
 * @module
 */
import type { Finding } from './finding.ts'
import { isTestPath } from './paths.ts'
import type { Repository } from './repository.ts'
import { hasCommentNear, lineOf, walk } from './syntax.ts'

/** `as any` anywhere; `as unknown as` without a comment at it. Tests may cast twice: they make up wrong input. */
export function checkCasts(repository: Repository): Finding[] {
  const found: Finding[] = []
  for (const source of repository.sources()) {
    const { path } = source
    walk(source.tree, (node, ancestors) => {
      if (node.type !== 'TSAsExpression' && node.type !== 'TSTypeAssertion') return undefined
      const line = node.typeAnnotation.loc?.start.line ?? lineOf(node)
      if (node.typeAnnotation.type === 'TSAnyKeyword') {
        found.push({ path, line, message: 'casts to any: name the type, or unknown' })
      } else if (
        !isTestPath(path) &&
        node.expression.type === 'TSAsExpression' &&
        node.expression.typeAnnotation.type === 'TSUnknownKeyword' &&
        !hasCommentNear(source, node, ancestors)
      ) {
        found.push({
          path,
          line,
          message: 'casts through unknown without a comment that says why it is right',
        })
      }
      return undefined
    })
  }
  return found
}
