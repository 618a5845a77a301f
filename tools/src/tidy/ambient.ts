/**
 * Time, chance and the network come through ports (Clock, Random, NewId, `ctx.http`), never from the machine directly:
 * that is what lets the whole system run in one process from a seed. The files that implement the ports, and those that
 * are not part of the system, are listed in allowed.json under `ambient`.
 *
 * @module
 */
import type { Node } from '@babel/types'
import { allowanceOf } from './allowed.ts'
import type { Finding } from './finding.ts'
import { importsOf } from './imports.ts'
import type { Repository } from './repository.ts'
import { isLabel, lineOf, nameOf, type Source, walk } from './syntax.ts'

/** Globals, and what to take instead. A name with a dot is a property of a global. */
const GLOBALS: Readonly<Record<string, string>> = {
  Date: 'a Clock, isoTime or parseIsoTime',
  performance: 'a Clock',
  setTimeout: 'a Clock',
  setInterval: 'a Clock',
  setImmediate: 'a Clock',
  queueMicrotask: 'a promise',
  fetch: 'the http port',
  'AbortSignal.timeout': 'a deadline',
  'Math.random': 'a Random',
  'crypto.getRandomValues': 'a Random',
  'crypto.randomUUID': 'a NewId',
  'process.hrtime': 'a Clock',
  'process.nextTick': 'a promise',
}

/** Of a module, the exports that are refused, under the names allowed.json uses for them. */
const MODULES: Readonly<Record<string, RegExp>> = {
  'node:crypto': /^(?:random\w+|getRandomValues|webcrypto)$/,
  'node:perf_hooks': /^performance$/,
  'node:process': /^(?:hrtime|nextTick)$/,
  'node:timers': /./,
  'node:timers/promises': /./,
  undici: /^fetch$/,
}

/** Every use of ambient time, chance or network that allowed.json does not list. */
export function checkAmbient(repository: Repository): Finding[] {
  const allowance = allowanceOf(repository, 'ambient')
  const found: Finding[] = []
  for (const source of repository.sources()) {
    for (const { name, line, instead } of [...globalsIn(source), ...modulesIn(source)]) {
      if (allowance.find(source.path, name)) continue
      found.push({ path: source.path, line, message: `${name} is ambient: take ${instead}` })
    }
  }
  return found
}

interface Use {
  readonly name: string
  readonly line: number
  readonly instead: string
}

function globalsIn(source: Source): Use[] {
  const declared = declaredNames(source)
  const uses: Use[] = []
  walk(source.tree, (node, ancestors) => {
    if (isTypeOnly(node)) return 'skip'
    const name = globalName(node, ancestors.at(-1), declared)
    const instead = name === undefined ? undefined : GLOBALS[name]
    if (name !== undefined && instead !== undefined) uses.push({ name, line: lineOf(node), instead })
    return undefined
  })
  return uses
}

/** The global that `node` reads, such as `Date` or `Math.random`; `globalThis.` in front is dropped. */
function globalName(node: Node, parent: Node | undefined, declared: ReadonlySet<string>): string | undefined {
  if (node.type === 'Identifier') {
    return declared.has(node.name) || isLabel(node, parent) ? undefined : node.name
  }
  if (node.type !== 'MemberExpression' && node.type !== 'OptionalMemberExpression') return undefined
  const property = node.computed && node.property.type === 'Identifier' ? undefined : nameOf(node.property)
  const object =
    node.object.type === 'Identifier' ? node.object.name : globalName(node.object, undefined, declared)
  if (object === undefined || property === undefined || declared.has(object)) return undefined
  return object === 'globalThis' || object === 'global' ? property : `${object}.${property}`
}

function isTypeOnly(node: Node): boolean {
  return (
    node.type.startsWith('TS') &&
    !/^TS(?:AsExpression|SatisfiesExpression|NonNullExpression|InstantiationExpression)$/.test(node.type)
  )
}

/**
 * Every name the file declares itself: imports, variables, parameters, functions. One set for the whole file rather
 * than one for each scope: a file that has its own `fetch` and reads the global one too is not worth the machinery.
 */
function declaredNames(source: Source): ReadonlySet<string> {
  const names = new Set<string>()
  const declare = (pattern: Node | null | undefined): void => {
    if (pattern?.type === 'Identifier') names.add(pattern.name)
    else if (pattern?.type === 'AssignmentPattern') declare(pattern.left)
    else if (pattern?.type === 'RestElement') declare(pattern.argument)
    else if (pattern?.type === 'ArrayPattern') for (const one of pattern.elements) declare(one)
    if (pattern?.type !== 'ObjectPattern') return
    for (const one of pattern.properties) declare(one.type === 'ObjectProperty' ? one.value : one)
  }
  walk(source.tree, (node) => {
    if (node.type === 'VariableDeclarator') declare(node.id)
    else if (/^Import\w*Specifier$/.test(node.type)) declare((node as { local?: Node }).local)
    else if (/Function|Method$/.test(node.type)) {
      if (node.type === 'FunctionDeclaration') declare(node.id)
      for (const parameter of (node as { params?: readonly Node[] }).params ?? []) declare(parameter)
    }
    return undefined
  })
  return names
}

function modulesIn(source: Source): Use[] {
  const uses: Use[] = []
  for (const { specifier, names, line, kind } of importsOf(source)) {
    const refused = MODULES[specifier]
    if (!refused || kind === 'type') continue
    for (const name of names.flatMap((one) => (IS_WHOLE.has(one) ? membersOf(source, specifier) : [one]))) {
      if (name !== '*' && !refused.test(name)) continue
      const whole = name === '*' ? specifier : name
      uses.push({
        name: specifier === 'node:process' ? `process.${name}` : whole,
        line,
        instead: 'a port (Clock, Random, NewId, http)',
      })
    }
  }
  return uses
}

const IS_WHOLE = new Set(['*', 'default'])

/** What is read from the namespace or default import of `specifier`; `*` when that cannot be seen. */
function membersOf(source: Source, specifier: string): readonly string[] {
  const locals = new Set<string>()
  for (const node of source.tree.program.body) {
    if (node.type !== 'ImportDeclaration' || node.source.value !== specifier) continue
    for (const one of node.specifiers) if (one.type !== 'ImportSpecifier') locals.add(one.local.name)
  }
  if (locals.size === 0) return ['*']
  const members: string[] = []
  walk(source.tree, (node) => {
    if (node.type === 'MemberExpression' && locals.has(nameOf(node.object) ?? '')) {
      members.push(nameOf(node.property) ?? '*')
    }
    return undefined
  })
  return members
}
