/**
 * What a source file gives to others.
 *
 * @module
 */
import type { Comment, Node } from '@babel/types'
import { lineOf, nameOf, type Source } from './syntax.ts'

/** One exported name. */
export interface Export {
  readonly name: string
  readonly line: number
  /** The declaration; undefined for `export { a } from './b.ts'` and for an expression. */
  readonly declaration: Node | undefined
  /** Whether it exists for the compiler only. */
  readonly isType: boolean
  /** The documentation comment before it, without the file's head comment. */
  readonly comment: Comment | undefined
}

/** Everything `source` exports, overloads one by one. */
export function exportsIn(source: Source): Export[] {
  const body = source.tree.program.body
  const declared = new Map(
    body.flatMap((one) => declarationsIn(one).map((each) => [each.name, each] as const)),
  )
  return body.flatMap((statement) => {
    if (statement.type === 'ExportDefaultDeclaration') {
      const comment = docComment(statement)
      const line = lineOf(statement)
      return [{ name: 'default', line, declaration: statement.declaration, isType: false, comment }]
    }
    if (statement.type !== 'ExportNamedDeclaration') return []
    if (statement.declaration) return declarationsIn(statement)
    return statement.specifiers.map((one) => {
      const name = nameOf(one.exported) ?? '*'
      const local =
        one.type === 'ExportSpecifier' && !statement.source ? declared.get(one.local.name) : undefined
      const isType = statement.exportKind === 'type' || (local?.isType ?? false)
      return { name, line: lineOf(one), declaration: local?.declaration, isType, comment: local?.comment }
    })
  })
}

/** Whether a comment is the one at the head of a file, which says what the file is for. */
export function isHeadComment(comment: Comment): boolean {
  return comment.type === 'CommentBlock' && comment.value.startsWith('*') && /@module\b/.test(comment.value)
}

function declarationsIn(statement: Node): Export[] {
  const isExported = statement.type === 'ExportNamedDeclaration'
  const declaration = isExported ? statement.declaration : statement
  if (!declaration) return []
  const isType = /^TS(?:Interface|TypeAlias)Declaration$/.test(declaration.type)
  const comment = docComment(statement)
  const one = (name: string, node: Node): Export => ({
    name,
    line: lineOf(node),
    declaration: node,
    isType,
    comment,
  })
  if (declaration.type === 'VariableDeclaration') {
    return declaration.declarations.flatMap((each) => boundNames(each.id).map((name) => one(name, each)))
  }
  const name = nameOf((declaration as { id?: Node | null }).id)
  return name === undefined ? [] : [one(name, declaration)]
}

function boundNames(pattern: Node): string[] {
  if (pattern.type === 'Identifier') return [pattern.name]
  if (pattern.type === 'ArrayPattern') return pattern.elements.flatMap((one) => (one ? boundNames(one) : []))
  if (pattern.type !== 'ObjectPattern') return []
  return pattern.properties.flatMap((one) =>
    boundNames(one.type === 'RestElement' ? one.argument : one.value),
  )
}

function docComment(statement: Node): Comment | undefined {
  const last = statement.leadingComments?.at(-1)
  return last?.type === 'CommentBlock' && last.value.startsWith('*') && !isHeadComment(last)
    ? last
    : undefined
}
