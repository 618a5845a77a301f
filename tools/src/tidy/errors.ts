/**
 * Errors say who is at fault and whether to try again, and none is swallowed.
 *
 * @module
 */
import type { Node } from '@babel/types'
import type { Finding } from './finding.ts'
import { isTestPath, partOf } from './paths.ts'
import type { Repository } from './repository.ts'
import { hasCommentNear, lineOf, nameOf, type Source, walk } from './syntax.ts'

const BUILT_IN = /^(?:Aggregate|Eval|Range|Reference|Syntax|Type|URI)?Error$/

/**
 * Errors of the language thrown by packages, and empty catches. The kernel, which defines our errors, and test beds may
 * throw any.
 */
export function checkErrors(repository: Repository): Finding[] {
  const found: Finding[] = []
  for (const source of repository.sources()) {
    const { path } = source
    const isFree = isTestPath(path) || /^core\/kernel$|\/testing$/.test(partOf(path) ?? '')
    const isOurs = path.startsWith('packages/') && !isFree
    walk(source.tree, (node, ancestors) => {
      const line = lineOf(node)
      if (isOurs && throwsBuiltIn(node)) {
        found.push({ path, line, message: 'throw a FlotillaError, or assert what can only be a bug' })
      }
      if (swallows(source, node, ancestors)) {
        found.push({ path, line, message: 'swallows an error without a comment that says why' })
      }
      return undefined
    })
  }
  return found
}

function throwsBuiltIn(node: Node): boolean {
  const thrown = node.type === 'ThrowStatement' ? node.argument : undefined
  return thrown?.type === 'NewExpression' && BUILT_IN.test(nameOf(thrown.callee) ?? '')
}

/**
 * `catch {}`, or `.catch(() => {})`, with no word about it. Where the value is used, as in
 * `const text = await read().catch(() => undefined)`, the failure is not swallowed but told in another way.
 */
function swallows(source: Source, node: Node, ancestors: readonly Node[]): boolean {
  if (node.type === 'CatchClause') return node.body.body.length === 0 && !node.body.innerComments?.length
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return false
  if (nameOf(node.callee.property) !== 'catch' || !isDiscarded(ancestors)) return false
  const handler = node.arguments[0]
  if (handler?.type !== 'ArrowFunctionExpression' && handler?.type !== 'FunctionExpression') return false
  const { body } = handler
  const isEmpty =
    body.type === 'BlockStatement' ? body.body.length === 0 : nameOf(body) === 'undefined' || isVoid(body)
  return isEmpty && !hasCommentNear(source, node, ancestors)
}

function isDiscarded(ancestors: readonly Node[]): boolean {
  const user = ancestors.findLast(({ type }) => type !== 'AwaitExpression' && type !== 'UnaryExpression')
  return user?.type === 'ExpressionStatement'
}

function isVoid(node: Node): boolean {
  return node.type === 'NullLiteral' || (node.type === 'UnaryExpression' && node.operator === 'void')
}
