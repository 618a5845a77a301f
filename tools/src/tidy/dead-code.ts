/**
 * Code that nothing of the product uses: files nobody imports and exports nobody takes. A test does not count, for what
 * only a test uses is only a cost; but an export that its own file uses may stay for a test. What package.json exports
 * is used by others; what is started by name is listed in allowed.json under `entries`; what waits for its user, under
 * `unused`.
 *
 * @module
 */
import { allowanceOf } from './allowed.ts'
import { type Export, exportsIn } from './exports.ts'
import type { Finding } from './finding.ts'
import { importsOf } from './imports.ts'
import { isTestPath, joinPath, partOf } from './paths.ts'
import type { Repository } from './repository.ts'
import { isLabel, type Source, walk } from './syntax.ts'
import { exportsOf, sourceOf, targetOf, workspacesOf } from './workspaces.ts'

/** Unused files and exports. */
export function checkDeadCode(repository: Repository): Finding[] {
  const entries = allowanceOf(repository, 'entries')
  const unused = allowanceOf(repository, 'unused')
  const exported = exportedFiles(repository)
  const uses = usesOf(repository)
  const found: Finding[] = []
  for (const source of repository.sources()) {
    const { path } = source
    if (isTestPath(path) || exported.has(path) || entries.find(path, '')) continue
    const use = uses.get(path)
    for (const { line, name, message } of use?.isByProduct ? unusedExports(source, use) : [UNUSED_FILE]) {
      if (!unused.find(path, name)) found.push({ path, line, message })
    }
  }
  return [...found, ...entries.outlived(), ...unused.outlived()]
}

interface Unused {
  readonly name: string
  readonly line: number
  readonly message: string
}

const UNUSED_FILE: Unused = {
  name: '*',
  line: 1,
  message: 'no file of the product imports it: remove it, or list it as an entry',
}

function unusedExports(source: Source, { byProduct, byTests }: Use): Unused[] {
  if (byProduct.has('*')) return []
  return exportsIn(source).flatMap((one) => {
    const { name, line } = one
    const isOwnUse = isMentioned(source, one)
    if (byProduct.has(name) || (isOwnUse && (byTests.has(name) || isTypeLike(one)))) return []
    const advice = isOwnUse ? 'only its own file uses it: do not export it' : 'no file of the product uses it'
    return [{ name, line, message: `${name} is exported but ${advice}` }]
  })
}

/** Types that other declarations of the file mention stay exported: callers may need the name to use those. */
function isTypeLike({ isType, declaration }: Export): boolean {
  return isType || declaration?.type === 'ClassDeclaration'
}

/** Whether its own file uses a name outside of its declaration. */
function isMentioned(source: Source, { name, declaration }: Export): boolean {
  let isFound = false
  walk(source.tree, (node, ancestors) => {
    if (node === declaration || ancestors.at(-1)?.type === 'ExportSpecifier') return 'skip'
    if (node.type === 'Identifier' && node.name === name && !isLabel(node, ancestors.at(-1))) isFound = true
    return isFound ? 'skip' : undefined
  })
  return isFound
}

/** The sources of all files that some package.json exports. */
function exportedFiles(repository: Repository): ReadonlySet<string> {
  return new Set(
    workspacesOf(repository).flatMap(({ folder, manifest }) =>
      Object.values(exportsOf(manifest)).map((file) => sourceOf(repository, joinPath(folder, file))),
    ),
  )
}

/** Who takes what from a file. */
interface Use {
  isByProduct: boolean
  readonly byProduct: Set<string>
  readonly byTests: Set<string>
}

/** The use of each file that is imported. Test beds, the parts called testing, exist for tests: theirs counts. */
function usesOf(repository: Repository): ReadonlyMap<string, Use> {
  const workspaces = workspacesOf(repository)
  const uses = new Map<string, Use>()
  for (const source of repository.sources()) {
    for (const one of importsOf(source)) {
      const target = targetOf(repository, workspaces, source.path, one)
      if (target.kind !== 'file') continue
      const use = uses.get(target.path) ?? { isByProduct: false, byProduct: new Set(), byTests: new Set() }
      uses.set(target.path, use)
      const isTest = isTestPath(source.path) && !partOf(target.path)?.endsWith('/testing')
      if (!isTest) use.isByProduct = true
      for (const name of one.names) (isTest ? use.byTests : use.byProduct).add(name)
    }
  }
  return uses
}
