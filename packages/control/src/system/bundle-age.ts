/**
 * Whether what is run is what was written: a checkout's programs are bundles of what its sources were compiled to.
 *
 * @module
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** True when a source of the bundle in `folder` was changed after it was built. False where there are no sources: not a checkout. */
export function isOutdated(root: string, folder: string): boolean {
  const list = join(folder, 'inputs.json')
  if (!existsSync(list)) return false
  const inputs = Object.keys(JSON.parse(readFileSync(list, 'utf8')) as object)
  return inputs.some((input) => {
    const [project, file] = input.split('/dist/')
    if (project === undefined || file === undefined || input.includes('node_modules/')) return false
    const source = file.replace(/\.js$/, '.ts')
    // The compiler leaves alone what would not differ, but notes in its own file when it looked.
    const lookedMs = Math.max(...BUILD_INFOS.map((path) => changedMs(join(root, project, path))))
    const writtenMs = Math.max(...SOURCES.map((path) => changedMs(join(root, project, path, source))))
    return writtenMs > lookedMs || changedMs(join(root, input)) > changedMs(list)
  })
}

/** Where the compiler keeps its notes, and where sources are, below a project. */
const BUILD_INFOS = ['tsconfig.tsbuildinfo', 'dist/tsconfig.tsbuildinfo']
const SOURCES = ['src', '']

/** When a file was changed, in milliseconds since 1970; 0 when it is not there. */
function changedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
