/**
 * What a source file takes from others, in every form the language has.
 *
 * @module
 */
import type { Node } from '@babel/types'
import { lineOf, nameOf, type Source, walk } from './syntax.ts'

/** One mention of another module. */
export interface Import {
  /** As written: `./clock.ts`, `node:fs`, `@flotilla/core/error`. */
  readonly specifier: string
  readonly line: number
  /** `url` is `new URL('./x.js', import.meta.url)` or `import.meta.resolve('x')`, the way to name a file to start. */
  readonly kind: 'static' | 'type' | 'export' | 'dynamic' | 'url'
  /** The names taken; `*` stands for all of them. */
  readonly names: readonly string[]
}

/** Everything `source` imports, in the order it stands there. */
export function importsOf(source: Source): readonly Import[] {
  const known = cache.get(source)
  if (known) return known
  const found: Import[] = []
  walk(source.tree, (node) => {
    const one = importIn(node)
    if (one) found.push({ ...one, line: lineOf(node) })
    return undefined
  })
  cache.set(source, found)
  return found
}

const cache = new WeakMap<Source, readonly Import[]>()

function importIn(node: Node): Omit<Import, 'line'> | undefined {
  switch (node.type) {
    case 'ImportDeclaration': {
      const isType =
        node.importKind === 'type' ||
        (node.specifiers.length > 0 &&
          node.specifiers.every((one) => one.type === 'ImportSpecifier' && one.importKind === 'type'))
      const names = node.specifiers.map((one) => {
        if (one.type === 'ImportSpecifier') return nameOf(one.imported) ?? '*'
        return one.type === 'ImportDefaultSpecifier' ? 'default' : '*'
      })
      return { specifier: node.source.value, kind: isType ? 'type' : 'static', names }
    }
    case 'ExportAllDeclaration':
      return { specifier: node.source.value, kind: 'export', names: ['*'] }
    case 'ExportNamedDeclaration': {
      if (!node.source) return undefined
      const names = node.specifiers.map((one) =>
        one.type === 'ExportSpecifier' ? (nameOf(one.local) ?? '*') : '*',
      )
      return { specifier: node.source.value, kind: node.exportKind === 'type' ? 'type' : 'export', names }
    }
    case 'ImportExpression':
      return literalImport(node.source, 'dynamic', ['*'])
    case 'TSImportType': {
      const qualifier = node.qualifier?.type === 'Identifier' ? node.qualifier.name : '*'
      return literalImport(node.argument as Node, 'type', [qualifier])
    }
    case 'NewExpression':
      if (nameOf(node.callee) !== 'URL' || !isImportMeta(node.arguments[1], 'url')) return undefined
      return literalImport(node.arguments[0], 'url', ['*'])
    case 'CallExpression':
      return isImportMeta(node.callee, 'resolve') ? literalImport(node.arguments[0], 'url', ['*']) : undefined
    default:
      return undefined
  }
}

function literalImport(
  node: Node | undefined,
  kind: Import['kind'],
  names: readonly string[],
): Omit<Import, 'line'> | undefined {
  return node?.type === 'StringLiteral' ? { specifier: node.value, kind, names } : undefined
}

function isImportMeta(node: Node | undefined, property: string): boolean {
  return (
    node?.type === 'MemberExpression' &&
    node.object.type === 'MetaProperty' &&
    nameOf(node.property) === property
  )
}
