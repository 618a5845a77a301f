/**
 * The exceptions to the checks: one table, allowed.json, in which each carries its reason.
 *
 * @module
 */
import type { Finding } from './finding.ts'
import type { Repository } from './repository.ts'

/** Where the table is. */
const ALLOWED_PATH = 'tools/src/tidy/allowed.json'

/** One exception. */
interface Exception {
  /** A file, a folder and all below it (`tools/`), or every file with this end (`*.test.ts`). */
  readonly path: string
  /** What is allowed there; absent: everything the list is about. */
  readonly names?: readonly string[]
  /** For the list `large`: the most lines it may grow to. */
  readonly linesMax?: number
  readonly reason: string
}

/**
 * The lists. `entries`: files that are started or configured from outside, so that no file imports them. `ambient`:
 * who may use the machine's own clock, chance and network. `large`: files and functions over the limit. `unused`:
 * code that waits for its user. `unimported`: dependencies that no import shows. `binaries`: files that are not text.
 */
export type AllowedList = 'entries' | 'ambient' | 'large' | 'unused' | 'unimported' | 'binaries'

/** One list, asked by a check. */
export interface Allowance {
  /** The exception that covers `name` in the file `path`, if any; remembers that it was needed. */
  find(path: string, name: string): Exception | undefined
  /** A finding for each exception that `find` never returned: it has outlived its reason. */
  outlived(): Finding[]
}

/** The list `list` of the repository's table; empty without a table. */
export function allowanceOf(repository: Repository, list: AllowedList): Allowance {
  const table = (repository.json(ALLOWED_PATH) ?? {}) as Partial<Record<AllowedList, readonly Exception[]>>
  const exceptions = table[list] ?? []
  const needed = new Set<Exception>()
  return {
    find(path, name) {
      const found = exceptions.find((exception) => covers(exception, path, name))
      if (found) needed.add(found)
      return found
    },
    outlived: () =>
      exceptions
        .filter((exception) => !needed.has(exception))
        .map(({ path, names }) => ({
          path: ALLOWED_PATH,
          line: 1,
          message: `${list}: ${[path, ...(names ?? [])].join(' ')} needs no exception any more: remove it`,
        })),
  }
}

function covers({ path, names }: Exception, file: string, name: string): boolean {
  const isInPath = path.endsWith('/')
    ? file.startsWith(path)
    : path.startsWith('*')
      ? file.endsWith(path.slice(1))
      : file === path
  return isInPath && (names === undefined || names.includes(name))
}
