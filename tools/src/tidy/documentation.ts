/**
 * Every file says what it is for, and every export of the product what its type cannot.
 *
 * @module
 */
import { exportsIn, isHeadComment } from './exports.ts'
import type { Finding } from './finding.ts'
import { isProductPath, isTestPath } from './paths.ts'
import type { Repository } from './repository.ts'

/** Files without a head comment, exports without a comment. Tests need neither: their names say it. */
export function checkDocumentation(repository: Repository): Finding[] {
  const found: Finding[] = []
  for (const source of repository.sources()) {
    const { path } = source
    if (isTestPath(path)) continue
    if (!source.comments.some(isHeadComment)) {
      found.push({ path, line: 1, message: 'has no head comment: what is it for? (with @module at its end)' })
    }
    if (!isProductPath(path)) continue
    const exported = exportsIn(source).filter(({ declaration }) => declaration !== undefined)
    // One comment is enough for the overloads of a function, or for a type and a value of one name.
    const documented = new Set(
      exported.filter(({ comment }) => /\w/.test(comment?.value ?? '')).map(({ name }) => name),
    )
    for (const { name, line } of exported) {
      if (!documented.has(name)) found.push({ path, line, message: `${name} is exported without a comment` })
    }
  }
  return found
}
