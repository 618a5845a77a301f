/**
 * The packages of the repository, and which file an import means.
 *
 * @module
 */
import type { Import } from './imports.ts'
import { folderOf, joinPath } from './paths.ts'
import type { Repository } from './repository.ts'

/** The fields of a package.json that the checks read. */
export interface Manifest {
  readonly name: string
  readonly version?: string
  readonly exports?: Readonly<Record<string, unknown>>
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** A folder with a package.json; the root is one too. */
export interface Workspace {
  /** `packages/core`; '' for the root. */
  readonly folder: string
  readonly manifest: Manifest
}

/** What an import means. */
export type Target =
  /** A file of this repository, whether it exists or not, and the package it was taken from by name, if it was. */
  | { readonly kind: 'file'; readonly path: string; readonly by?: Workspace }
  /** A path that the named package of this repository does not export. */
  | { readonly kind: 'private'; readonly by: Workspace }
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'external'; readonly name: string }

/** All packages of the repository. */
export function workspacesOf(repository: Repository): readonly Workspace[] {
  return repository.paths
    .filter((path) => path === 'package.json' || path.endsWith('/package.json'))
    .map((path) => ({ folder: folderOf(path), manifest: repository.json(path) as Manifest }))
}

/** The package a file belongs to: the nearest one around it. */
export function workspaceOf(workspaces: readonly Workspace[], path: string): Workspace | undefined {
  return workspaces
    .filter(({ folder }) => folder === '' || path.startsWith(`${folder}/`))
    .sort((a, b) => b.folder.length - a.folder.length)[0]
}

/** What `one`, found in the file `from`, means. */
export function targetOf(
  repository: Repository,
  workspaces: readonly Workspace[],
  from: string,
  one: Pick<Import, 'specifier'>,
): Target {
  const { specifier } = one
  if (/^\.\.?(?:\/|$)/.test(specifier)) {
    return { kind: 'file', path: sourceOf(repository, joinPath(folderOf(from), specifier)) }
  }
  if (specifier.startsWith('node:')) return { kind: 'builtin', name: specifier }
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  const by = workspaces.find(({ manifest }) => manifest.name === name)
  if (!by) return { kind: 'external', name }
  const exported = exportsOf(by.manifest)[`.${specifier.slice(name.length)}`]
  if (exported === undefined) return { kind: 'private', by }
  return { kind: 'file', path: sourceOf(repository, joinPath(by.folder, exported)), by }
}

/** The keys of a package's `exports`, each with the file it stands for, such as `./dist/kernel/error.js`. */
export function exportsOf(manifest: Manifest): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const [key, value] of Object.entries(manifest.exports ?? {})) {
    const file = typeof value === 'string' ? value : (value as { default?: unknown } | null)?.default
    if (typeof file === 'string') found[key] = file
  }
  return found
}

/** The source of a built file: `packages/core/dist/wire/http.js` comes from `packages/core/src/wire/http.ts`. */
export function sourceOf(repository: Repository, path: string): string {
  const stem = path.replace(/\.js$/, '')
  const candidates = [path, stem.replace('/dist/', '/src/'), stem.replace('/dist/', '/'), stem].flatMap(
    (one) => [one, `${one}.ts`, `${one}.tsx`],
  )
  return candidates.find((one) => repository.text(one) !== undefined) ?? path
}
