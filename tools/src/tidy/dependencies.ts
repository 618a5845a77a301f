/**
 * Each package declares what it imports, and imports what it declares. An import that works only because npm put
 * another package's dependency in reach breaks on the next install.
 *
 * @module
 */
import { allowanceOf } from './allowed.ts'
import type { Finding } from './finding.ts'
import { type Import, importsOf } from './imports.ts'
import { isTestPath } from './paths.ts'
import type { Repository } from './repository.ts'
import { targetOf, type Workspace, workspaceOf, workspacesOf } from './workspaces.ts'

/** Imports that are not declared, and declarations that are not imported (allowed.json, `unimported`, has exceptions). */
export function checkDependencies(repository: Repository): Finding[] {
  const workspaces = workspacesOf(repository)
  const unimported = allowanceOf(repository, 'unimported')
  const imported = new Map<Workspace, Set<string>>(workspaces.map((one) => [one, new Set()]))
  const found: Finding[] = []
  for (const { path, line, one, name } of packageImports(repository, workspaces)) {
    const workspace = workspaceOf(workspaces, path)
    if (!workspace || name === workspace.manifest.name) continue
    imported.get(workspace)?.add(name)
    const message = undeclared(workspace, path, one, name)
    if (message !== undefined) found.push({ path, line, message })
  }
  for (const [workspace, names] of imported) {
    const path = workspace.folder === '' ? 'package.json' : `${workspace.folder}/package.json`
    for (const name of declaredBy(workspace)) {
      if (names.has(typedBy(name)) || unimported.find(path, name)) continue
      const line = lineOfKey(repository.text(path) ?? '', name)
      found.push({ path, line, message: `${name} is declared but no file of the package imports it` })
    }
  }
  return [...found, ...unimported.outlived()]
}

interface PackageImport {
  readonly path: string
  readonly line: number
  readonly one: Import
  /** The package, such as `typebox` or `@flotilla/core`. */
  readonly name: string
}

function packageImports(repository: Repository, workspaces: readonly Workspace[]): PackageImport[] {
  return repository.sources().flatMap(({ path, ...source }) =>
    importsOf({ path, ...source }).flatMap((one) => {
      const target = targetOf(repository, workspaces, path, one)
      if (target.kind === 'external') return [{ path, line: one.line, one, name: target.name }]
      const by = target.kind === 'builtin' ? undefined : target.by
      return by ? [{ path, line: one.line, one, name: by.manifest.name }] : []
    }),
  )
}

/** Only tests, and packages that are started from the checkout and never installed, may live on devDependencies. */
function undeclared(
  { folder, manifest }: Workspace,
  path: string,
  one: Import,
  name: string,
): string | undefined {
  const { dependencies, optionalDependencies, peerDependencies, devDependencies } = manifest
  if (Object.hasOwn({ ...dependencies, ...optionalDependencies, ...peerDependencies }, name)) return undefined
  const mayUseDev = isTestPath(path) || !/^(?:packages|apps)\//.test(folder)
  if (Object.hasOwn(devDependencies ?? {}, name)) {
    return mayUseDev
      ? undefined
      : `${name} is imported by the product: move it from devDependencies to dependencies`
  }
  return `'${one.specifier}' is imported but ${folder || 'the root'} does not declare ${name}`
}

function declaredBy({ manifest }: Workspace): string[] {
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = manifest
  return Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies, ...peerDependencies })
}

/** The package whose types `@types/x` holds; of any other package, itself. */
function typedBy(name: string): string {
  const [scope = '', inScope] = name.replace(/^@types\//, '').split('__')
  return inScope === undefined ? scope : `@${scope}/${inScope}`
}

function lineOfKey(text: string, key: string): number {
  return text.split('\n').findIndex((line) => line.includes(`"${key}"`)) + 1
}
