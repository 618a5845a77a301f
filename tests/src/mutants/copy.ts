/**
 * A throw-away copy of the repository in which a line can be wrong.
 *
 * @module
 */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../flotilla-process.ts'

/** A mistake that somebody could have made: the one place of a source where it is made. */
export interface Patch {
  /** A source, TypeScript or SQL, from the root of the repository. */
  readonly file: string
  /** Is there exactly once. */
  readonly find: string
  readonly replace: string
}

const COPIED = ['package.json', 'tsconfig.base.json', 'packages', 'apps']
const LEFT_OUT = new Set(['node_modules', 'dist', 'bundle'])
const PACKAGES = ['packages/core', 'packages/gateway', 'packages/control', 'apps/shop']

interface Bundler {
  bundleSources(root: string): Promise<void>
  bundleOne(root: string, built: string): Promise<void>
}

/** A copy. */
export class Copy {
  readonly root: string
  /** What was changed, as it was before. */
  #before: { readonly path: string; readonly text: string } | undefined

  private constructor(folder: string) {
    this.root = folder
  }

  /** Makes one; it is removed with its owner. */
  static make(owner: { after(cleanUp: () => Promise<void>): void }): Copy {
    // Its real path: modules know themselves by theirs.
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'flotilla-mutant-')))
    owner.after(async () => rmSync(folder, { recursive: true, force: true }))
    for (const name of COPIED) {
      const filter = (path: string): boolean => !LEFT_OUT.has(basename(path))
      cpSync(join(root, name), join(folder, name), { recursive: true, filter })
    }
    const modules = join(folder, 'node_modules')
    mkdirSync(join(modules, '@flotilla'), { recursive: true })
    for (const name of readdirSync(join(root, 'node_modules'))) {
      if (name !== '@flotilla') symlinkSync(join(root, 'node_modules', name), join(modules, name))
    }
    for (const path of PACKAGES) symlinkSync(join(folder, path), join(modules, '@flotilla', basename(path)))
    return new Copy(folder)
  }

  /** Takes the last mistake back and makes another one, or none. @throws Error when its place is not there once. */
  change(patch: Patch | undefined): void {
    if (this.#before !== undefined) writeFileSync(this.#before.path, this.#before.text)
    this.#before = undefined
    if (patch === undefined) return
    const path = join(this.root, patch.file)
    const text = readFileSync(path, 'utf8')
    const count = text.split(patch.find).length - 1
    if (count !== 1) throw new Error(`${patch.file} has ${count} times what is to be changed: ${patch.find}`)
    this.#before = { path, text }
    writeFileSync(path, text.split(patch.find).join(patch.replace))
  }

  /** Builds the programs. */
  async build(): Promise<void> {
    await (await bundler()).bundleSources(this.root)
  }

  /** Builds one test file; the path of the program. @param built such as `packages/core/dist/events/relay.test.js`. */
  async buildTest(built: string): Promise<string> {
    await (await bundler()).bundleOne(this.root, built)
    return join(this.root, built)
  }
}

/** Not a part of any package, as the tools of the repository are. */
async function bundler(): Promise<Bundler> {
  return (await import(pathToFileURL(join(root, 'tools/bundle-sources.mjs')).href)) as Bundler
}
