/**
 * What must not get into the repository: paths of one machine, addresses of a package registry, files that are not
 * text.
 *
 * @module
 */
import { allowanceOf } from './allowed.ts'
import type { Finding } from './finding.ts'
import type { Repository } from './repository.ts'

/** An absolute path below somebody's home; not a part of a longer relative path or an address. */
const MACHINE_PATH = /(?<![\w.@*})-])\/(?:root|work|home\/\w+|Users\/\w+)\//
const REGISTRY = /"resolved": "(?:https?|git|ssh)|^\s*(?:@[\w-]+:)?registry\s*=|https?:\/\/[^\s"']+\.tgz/

/** Findings line by line; binary files are listed in allowed.json under `binaries`. */
export function checkHygiene(repository: Repository): Finding[] {
  const binaries = allowanceOf(repository, 'binaries')
  const found: Finding[] = []
  for (const path of repository.paths) {
    const text = repository.text(path) ?? ''
    if (text.includes('\0')) {
      if (!binaries.find(path, '')) found.push({ path, line: 1, message: 'is a binary file' })
      continue
    }
    const mayNameRegistry = !/(?:^|\/)(?:package-lock\.json|\.npmrc)$/.test(path)
    for (const [index, line] of text.split('\n').entries()) {
      const machine = MACHINE_PATH.exec(line)
      if (machine) found.push({ path, line: index + 1, message: `'${machine[0]}' is a path of one machine` })
      if (!mayNameRegistry && REGISTRY.test(line)) {
        found.push({
          path,
          line: index + 1,
          message: 'names a registry: anyone installs from the one they use',
        })
      }
    }
  }
  return [...found, ...binaries.outlived()]
}
