/**
 * Limits to growth, as a ratchet: what is over the limit is listed in allowed.json under `large` with the size it may
 * not exceed and the reason, so that it can shrink but not grow.
 *
 * @module
 */
import type { Node } from '@babel/types'
import { allowanceOf } from './allowed.ts'
import type { Finding } from './finding.ts'
import { isTestPath } from './paths.ts'
import type { Repository } from './repository.ts'
import { lineOf, nameOf, type Source, walk } from './syntax.ts'

const FILE_LINES_MAX = 350
/** Blank lines aside, comments included. */
const FUNCTION_LINES_MAX = 70

/** Files and functions over the limit, or over what allowed.json grants them. Tests may be of any length. */
export function checkSize(repository: Repository): Finding[] {
  const allowance = allowanceOf(repository, 'large')
  const found: Finding[] = []
  for (const source of repository.sources()) {
    const { path } = source
    if (isTestPath(path)) continue
    for (const { name, line, lines, linesMax } of [fileSize(source), ...functionSizes(source)]) {
      if (lines <= linesMax) continue
      const most = allowance.find(path, name)?.linesMax ?? linesMax
      const message = `${name} has ${lines} lines, at most ${most}: split it where its thoughts part`
      if (lines > most) found.push({ path, line, message })
    }
  }
  return [...found, ...allowance.outlived()]
}

interface Size {
  readonly name: string
  readonly line: number
  readonly lines: number
  readonly linesMax: number
}

function fileSize({ text }: Source): Size {
  const lines = text.replace(/\n$/, '').split('\n').length
  return { name: 'the file', line: 1, lines, linesMax: FILE_LINES_MAX }
}

function functionSizes({ text, tree }: Source): Size[] {
  const textLines = text.split('\n')
  const sizes: Size[] = []
  walk(tree, (node, ancestors) => {
    if (!/^(?:Function|ArrowFunction|ObjectMethod|Class\w*Method)/.test(node.type)) return undefined
    const own = textLines.slice(lineOf(node) - 1, node.loc?.end.line)
    const lines = own.filter((line) => line.trim() !== '').length
    sizes.push({
      name: functionName(node, ancestors),
      line: lineOf(node),
      lines,
      linesMax: FUNCTION_LINES_MAX,
    })
    return undefined
  })
  return sizes
}

/** Its own name, or that of the variable or field it is the value of. */
function functionName(node: Node, ancestors: readonly Node[]): string {
  for (const one of [node, ancestors.at(-1)]) {
    const { id, key } = (one ?? {}) as { id?: Node; key?: Node }
    const name = nameOf(key?.type === 'PrivateName' ? key.id : (key ?? id))
    if (name !== undefined) return name
  }
  return 'a function'
}
