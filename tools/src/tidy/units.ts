/**
 * A number that measures something says in which unit, as the last word of its name: `timeoutMs`, `bodyBytesMax`.
 *
 * @module
 */
import type { Node } from '@babel/types'
import type { Finding } from './finding.ts'
import { isTestPath } from './paths.ts'
import type { Repository } from './repository.ts'
import { lineOf, nameOf, walk } from './syntax.ts'

const MEASURES = new Set(
  'age delay duration elapsed interval latency period size timeout ttl uptime wait window'.split(' '),
)

/**
 * Numeric fields, parameters and constants whose name ends in a measure. A field of something with methods may be called
 * `size`, for there it is, as in Map, the number of entries; in a plain record of options it may not.
 */
export function checkUnits(repository: Repository): Finding[] {
  const found: Finding[] = []
  for (const { path, tree } of repository.sources().filter((source) => !isTestPath(source.path))) {
    walk(tree, (node, ancestors) => {
      const name = numberName(node, ancestors)
      if (name === undefined || !endsInMeasure(name) || isEntryCount(name, ancestors)) return undefined
      const message = `${name} is a number without a unit: ${name}Ms, ${name}S, ${name}Bytes, ${name}Count …`
      found.push({ path, line: lineOf(node), message })
      return undefined
    })
  }
  return found
}

/** Whether the last word is a measure, in `connectTimeout` as in `CONNECT_TIMEOUT`; `storage` is no `age`. */
function endsInMeasure(name: string): boolean {
  const words = name === name.toUpperCase() ? name.split('_') : name.split(/(?=[A-Z])/)
  return MEASURES.has(words.at(-1)?.toLowerCase() ?? '')
}

/** The name of a numeric field, parameter or constant that `node` declares. */
function numberName(node: Node, ancestors: readonly Node[]): string | undefined {
  switch (node.type) {
    case 'TSPropertySignature':
    case 'ClassProperty':
    case 'ClassPrivateProperty': {
      const key = node.key.type === 'PrivateName' ? node.key.id : node.key
      const value = node.type === 'TSPropertySignature' ? undefined : node.value
      return isNumber(node.typeAnnotation) || isNumeric(value) ? nameOf(key) : undefined
    }
    case 'VariableDeclarator':
      return isNumber(annotationOf(node.id)) || (isConstant(ancestors) && isNumeric(node.init))
        ? nameOf(node.id)
        : undefined
    case 'AssignmentPattern':
      return isNumeric(node.right) ? nameOf(node.left) : undefined
    case 'Identifier':
      return isParameter(node, ancestors.at(-1)) && isNumber(node.typeAnnotation) ? node.name : undefined
    default:
      return undefined
  }
}

function isParameter(node: Node, parent: Node | undefined): boolean {
  if (parent?.type === 'AssignmentPattern') return parent.left === node && !isNumeric(parent.right)
  const { params, parameters } = (parent ?? {}) as { params?: readonly Node[]; parameters?: readonly Node[] }
  return (params ?? parameters)?.includes(node) ?? false
}

function isConstant(ancestors: readonly Node[]): boolean {
  const parent = ancestors.at(-1)
  return parent?.type === 'VariableDeclaration' && parent.kind === 'const'
}

function annotationOf(node: Node): Node | null | undefined {
  return node.type === 'Identifier' ? node.typeAnnotation : undefined
}

/** Whether an annotation is `number`, or a union with it. */
function isNumber(annotation: Node | null | undefined): boolean {
  const type = annotation?.type === 'TSTypeAnnotation' ? annotation.typeAnnotation : annotation
  if (type?.type === 'TSUnionType') return type.types.some(isNumber)
  return type?.type === 'TSNumberKeyword'
}

/** Whether an expression is a number at sight: `500`, `5 * 60_000`. */
function isNumeric(node: Node | null | undefined): boolean {
  if (node?.type === 'BinaryExpression') return isNumeric(node.left) && isNumeric(node.right)
  return node?.type === 'NumericLiteral'
}

function isEntryCount(name: string, ancestors: readonly Node[]): boolean {
  const { body, members } = (ancestors.at(-1) ?? {}) as { body?: unknown; members?: unknown }
  const siblings = body ?? members
  return name === 'size' && Array.isArray(siblings) && siblings.some((one: Node) => /Method/.test(one.type))
}
