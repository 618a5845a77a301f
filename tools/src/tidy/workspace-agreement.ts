/**
 * What the packages must agree on among themselves: versions, the lockfile, the order of building.
 *
 * @module
 */
import type { Finding } from './finding.ts'
import { joinPath } from './paths.ts'
import type { Repository } from './repository.ts'
import { type Manifest, type Workspace, workspacesOf } from './workspaces.ts'

const SECTIONS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const

/**
 * One version everywhere; a lockfile that `npm ci` accepts; TypeScript references that follow the dependencies. A package
 * with a lockfile of its own (bench/) is installed by itself, and agrees with nobody.
 */
export function checkWorkspaceAgreement(repository: Repository): Finding[] {
  const workspaces = workspacesOf(repository).filter(
    ({ folder }) => folder === '' || !repository.has(joinPath(folder, 'package-lock.json')),
  )
  const root = workspaces.find(({ folder }) => folder === '')?.manifest.version
  const locked = (repository.json('package-lock.json') as { packages?: Record<string, Manifest> } | undefined)
    ?.packages
  return workspaces.flatMap((workspace) => [
    ...versions(workspace, workspaces, root),
    ...(locked ? lockStep(workspace, locked) : []),
    ...references(workspace, workspaces, repository),
  ])
}

function manifestPath({ folder }: Workspace): string {
  return joinPath(folder, 'package.json')
}

function versions(workspace: Workspace, all: readonly Workspace[], root: string | undefined): Finding[] {
  const { manifest } = workspace
  const path = manifestPath(workspace)
  const found: Finding[] = []
  if (manifest.version !== root) {
    found.push({ path, line: 1, message: `has version ${manifest.version}, the root has ${root}` })
  }
  for (const [name, range] of SECTIONS.flatMap((section) => Object.entries(manifest[section] ?? {}))) {
    const isOurs = all.some((other) => other.manifest.name === name)
    if (isOurs && range !== root)
      found.push({ path, line: 1, message: `asks for ${name} ${range}, it is ${root}` })
    else if (!isOurs && !/^\d[\w.+-]*$/.test(range)) {
      found.push({ path, line: 1, message: `${name} ${range}: pin the exact version` })
    }
  }
  return found
}

function lockStep(workspace: Workspace, locked: Readonly<Record<string, Manifest>>): Finding[] {
  const path = manifestPath(workspace)
  const inLock = locked[workspace.folder]
  const isInStep = SECTIONS.every(
    (section) => sortedText(inLock?.[section]) === sortedText(workspace.manifest[section]),
  )
  if (inLock && isInStep) return []
  return [{ path, line: 1, message: 'package-lock.json does not match its dependencies: run npm install' }]
}

function sortedText(record: Readonly<Record<string, string>> | undefined): string {
  return JSON.stringify(Object.entries(record ?? {}).sort())
}

/** A TypeScript project that the root does not refer to is never built, and its tests never run. */
function references(workspace: Workspace, all: readonly Workspace[], repository: Repository): Finding[] {
  const { folder, manifest } = workspace
  const path = joinPath(folder, 'tsconfig.json')
  if (folder === '' || !repository.has(path)) return []
  const found: Finding[] = []
  if (!referredBy(repository, '').includes(folder)) {
    found.push({ path: 'tsconfig.json', line: 1, message: `does not refer to ${folder}` })
  }
  const referred = referredBy(repository, folder)
  const needed = SECTIONS.flatMap((section) => Object.keys(manifest[section] ?? {}))
  for (const other of all.filter((one) => needed.includes(one.manifest.name))) {
    if (!referred.includes(other.folder))
      found.push({ path, line: 1, message: `does not refer to ${other.folder}` })
  }
  return found
}

function referredBy(repository: Repository, folder: string): string[] {
  const config = repository.json(joinPath(folder, 'tsconfig.json')) as
    | { references?: readonly { path: string }[] }
    | undefined
  return (config?.references ?? []).map((one) => joinPath(folder, one.path))
}
