/**
 * Source files as syntax trees. Checks look at syntax, not at lines, because a regular expression cannot tell
 * `new Date()` from the same words in a comment, nor a type from a value.
 *
 * @module
 */
import { parse } from '@babel/parser'
import type { Comment, File, Node } from '@babel/types'

/** A parsed source file. */
export interface Source {
  readonly path: string
  readonly text: string
  readonly tree: File
  readonly comments: readonly Comment[]
}

/** Parses one file. @throws SyntaxError naming the path. */
export function parseSource(path: string, text: string): Source {
  try {
    const tree = parse(text, {
      sourceType: 'module',
      createImportExpressions: true,
      plugins: ['typescript', 'explicitResourceManagement', ...(path.endsWith('x') ? ['jsx' as const] : [])],
    })
    return { path, text, tree, comments: tree.comments ?? [] }
  } catch (error) {
    throw new SyntaxError(`${path}: ${String(error)}`, { cause: error })
  }
}

/** Calls `visit` with every node below `root`, parents first; it answers 'skip' to leave out what is below a node. */
export function walk(
  root: Node,
  visit: (node: Node, ancestors: readonly Node[]) => 'skip' | undefined,
): void {
  const ancestors: Node[] = []
  const enter = (node: Node): void => {
    if (visit(node, ancestors) === 'skip') return
    ancestors.push(node)
    for (const [key, value] of Object.entries(node)) {
      if (IS_NO_CHILD.has(key)) continue
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) enter(child)
    }
    ancestors.pop()
  }
  enter(root)
}

const IS_NO_CHILD = new Set([
  'comments',
  'errors',
  'extra',
  'innerComments',
  'leadingComments',
  'loc',
  'tokens',
  'trailingComments',
])

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

/** The line a node starts on, from 1. */
export function lineOf(node: Node | Comment): number {
  return node.loc?.start.line ?? 1
}

/** The name of an identifier or the value of a string; undefined for anything else, such as a computed key. */
export function nameOf(node: Node | null | undefined): string | undefined {
  if (node?.type === 'Identifier') return node.name
  return node?.type === 'StringLiteral' ? node.value : undefined
}

/**
 * Whether an identifier is a mere label: a property, a method, a key. In `{ Date }` the key is one,
 * the value, a node of its own, is not.
 */
export function isLabel(node: Node, parent: Node | undefined): boolean {
  switch (parent?.type) {
    case 'MemberExpression':
    case 'OptionalMemberExpression':
      return parent.property === node && !parent.computed
    case 'ObjectProperty':
      return parent.key === node && !parent.computed
    case 'ObjectMethod':
    case 'ClassMethod':
    case 'ClassProperty':
      return parent.key === node && !parent.computed
    case 'ExportSpecifier':
    case 'ImportSpecifier':
    case 'MetaProperty':
      return true
    default:
      return false
  }
}

/** Whether a comment is on the lines from `node`'s statement's first, or the line before it, to `node`'s last. */
export function hasCommentNear(source: Source, node: Node, ancestors: readonly Node[]): boolean {
  const statement = ancestors.findLast((ancestor) => /Statement$|Declaration$|Property$/.test(ancestor.type))
  const from = lineOf(statement ?? node) - 1
  const to = node.loc?.end.line ?? from
  return source.comments.some(
    (comment) => (comment.loc?.end.line ?? 0) >= from && (comment.loc?.start.line ?? Infinity) <= to,
  )
}
