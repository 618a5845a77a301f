/**
 * Names that say nothing. A file called utils becomes the place for whatever has no place.
 *
 * @module
 */
import { exportsIn } from './exports.ts'
import type { Finding } from './finding.ts'
import { stemOf } from './paths.ts'
import type { Repository } from './repository.ts'

/** As the whole name of a file or folder; as a part of one, such as search-index, these may mean something. */
const EMPTY_NAMES = new Set('base common index lib libs shared'.split(' '))
/** Also as one word of a name, such as order-utils. */
const EMPTY_WORDS = new Set('helper helpers impl manager managers misc util utils'.split(' '))
const EMPTY_IDENTIFIER = /^(?:I[A-Z][a-z]{2,}\w*|Base[A-Z]\w*|\w+(?:Impl|Manager|Helpers?|Utils?))$/

/** Empty names of source files, of folders with source files, and of what they export. */
export function checkNames(repository: Repository): Finding[] {
  const found: Finding[] = []
  for (const source of repository.sources()) {
    const { path } = source
    for (const name of [...path.split('/').slice(0, -1), stemOf(path)].filter(isEmptyName)) {
      found.push({ path, line: 1, message: `the name '${name}' says nothing about what is inside` })
    }
    for (const { name, line } of exportsIn(source)) {
      if (!EMPTY_IDENTIFIER.test(name)) continue
      found.push({ path, line, message: `${name}: name it after what it is or does` })
    }
  }
  return found
}

function isEmptyName(name: string): boolean {
  return EMPTY_NAMES.has(name) || name.split(/[-.]/).some((word) => EMPTY_WORDS.has(word))
}
