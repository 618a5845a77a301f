/**
 * Who may import whom. architecture.json lists the parts from bottom to top, each with the parts it may import, all of
 * which stand above it in the list; so no cycle between parts can exist. Between packages only what package.json
 * `exports` may be imported.
 *
 * @module
 */
import type { Finding } from './finding.ts'
import { type Import, importsOf } from './imports.ts'
import { isSourcePath, isTestPath, partOf } from './paths.ts'
import type { Repository } from './repository.ts'
import { targetOf, type Workspace, workspaceOf, workspacesOf } from './workspaces.ts'

/** Where the table is. */
const TABLE_PATH = 'architecture.json'

type Table = Readonly<Record<string, readonly string[]>>

/** Every import that the table does not allow, and every mistake in the table. */
export function checkLayering(repository: Repository): Finding[] {
  const workspaces = workspacesOf(repository)
  const table = (repository.json(TABLE_PATH) as { parts?: Table } | undefined)?.parts ?? {}
  const found = checkTable(table)
  for (const source of repository.sources()) {
    const { path } = source
    const part = partOf(path)
    if (part === undefined && /^packages\/[^/]+\/src\//.test(path)) {
      found.push({ path, line: 1, message: 'belongs to no part: move it into a folder of src/' })
    } else if (part !== undefined && !Object.hasOwn(table, part)) {
      found.push({ path, line: 1, message: `the part ${part} is not in ${TABLE_PATH}` })
    }
    const allowed = part === undefined ? undefined : (table[part] ?? [])
    for (const one of importsOf(source)) {
      const message = judgeImport(repository, workspaces, path, one, allowed)
      if (message !== undefined) found.push({ path, line: one.line, message })
    }
  }
  return found
}

/** What is wrong with one import; `allowed` is undefined for files that belong to no part. */
function judgeImport(
  repository: Repository,
  workspaces: readonly Workspace[],
  path: string,
  one: Import,
  allowed: readonly string[] | undefined,
): string | undefined {
  const target = targetOf(repository, workspaces, path, one)
  const own = workspaceOf(workspaces, path)
  if (target.kind === 'private') {
    return `${target.by.manifest.name} does not export '${one.specifier}': add it to its exports or do without`
  }
  if (target.kind !== 'file') return undefined
  if (target.by)
    return target.by === own ? judgeOwnName(one, target.path) : judgePackage(path, target.by, allowed)
  // Tests and tools start built programs of other packages by their path; a part may not even know it.
  if (one.kind === 'url' && allowed === undefined) return undefined
  if (workspaceOf(workspaces, target.path) !== own || target.path.startsWith('..')) {
    return `'${one.specifier}' leaves the package: import what the other package exports, by its name`
  }
  if (isTestPath(target.path) && !isTestPath(path))
    return `'${one.specifier}' is a test: only tests may import it`
  // Files that are not code, such as migrations, belong to the package, not to a part.
  if (one.kind === 'url' && !isSourcePath(target.path)) return undefined
  return mayImportPart(path, partOf(target.path), allowed)
    ? undefined
    : `${partOf(path)} may not import ${partOf(target.path) ?? target.path}`
}

/** By its name a file that is not code is found from a bundle too, wherever that lies. */
function judgeOwnName({ kind, specifier }: Import, target: string): string | undefined {
  return kind === 'url' && !isSourcePath(target)
    ? undefined
    : `import ${specifier} by its relative path: it is the same package`
}

function judgePackage(
  path: string,
  { manifest }: Workspace,
  allowed: readonly string[] | undefined,
): string | undefined {
  return allowed === undefined || allowed.includes(manifest.name)
    ? undefined
    : `${partOf(path)} may not import ${manifest.name}`
}

function mayImportPart(
  path: string,
  to: string | undefined,
  allowed: readonly string[] | undefined,
): boolean {
  if (allowed === undefined || to === partOf(path)) return true
  if (to === undefined) return false
  return allowed.includes(to) || (isTestPath(path) && to.endsWith('/testing'))
}

/** A package counts as standing where its first part does. */
function checkTable(table: Table): Finding[] {
  const found: Finding[] = []
  const above = new Set<string>()
  for (const [part, allowed] of Object.entries(table)) {
    for (const other of allowed.filter((name) => !above.has(name))) {
      found.push({
        path: TABLE_PATH,
        line: 1,
        message: `${part} names ${other}, which does not stand above it`,
      })
    }
    above.add(part)
    above.add(`@flotilla/${part.split('/')[0]}`)
  }
  return found
}
