/**
 * The repository as a value: the text of every file that belongs to it, by path. Checks see nothing else, so that a
 * test can hand them a repository of three lines.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSourcePath } from './paths.ts'
import { parseSource, type Source } from './syntax.ts'

/** The files of the repository, or of a small one made up by a test. Paths are from its root, with `/`. */
export interface Repository {
  /** In alphabetical order. */
  readonly paths: readonly string[]
  /** Whether `path` is one of its files, or a folder with files in it (with or without `/` at the end). */
  has(path: string): boolean
  /** The text of a file; undefined when there is none. */
  text(path: string): string | undefined
  /** The parsed JSON of a file; undefined when there is none. @throws SyntaxError with the path in its message. */
  json(path: string): unknown
  /** Every TypeScript and JavaScript file, parsed once however many checks look at it. */
  sources(): readonly Source[]
}

/** A repository of these files, by path. */
export function repositoryOf(files: Readonly<Record<string, string>>): Repository {
  const paths = Object.keys(files).sort()
  const folders = new Set(paths.flatMap(foldersOf))
  let sources: readonly Source[] | undefined
  const text = (path: string): string | undefined => (Object.hasOwn(files, path) ? files[path] : undefined)
  return {
    paths,
    has: (path) => text(path) !== undefined || folders.has(path.replace(/\/$/, '')),
    text,
    json(path) {
      const found = text(path)
      return found === undefined ? undefined : parseJson(path, found)
    },
    sources() {
      sources ??= paths.filter(isSourcePath).map((path) => parseSource(path, text(path) ?? ''))
      return sources
    },
  }
}

/**
 * The repository in the folder `root`: every file below it that .gitignore does not exclude. It asks no git, so that
 * the checks also run on an unpacked archive; files added but not committed yet count.
 */
export function readRepository(root: string): Repository {
  const isIgnored = ignoring(readFileSync(join(root, '.gitignore'), 'utf8'))
  const files: Record<string, string> = {}
  const read = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      if (isIgnored(entry.name)) continue
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) read(path)
      else if (entry.isFile()) files[path] = readFileSync(join(root, path), 'utf8')
    }
  }
  read('')
  return repositoryOf(files)
}

/**
 * Whether .gitignore excludes a name. Only `name`, `name/` and `*.end` are understood, which is all this repository
 * needs.
 *
 * @throws Error on any other pattern, so that a new one cannot be misread in silence.
 */
function ignoring(gitignore: string): (name: string) => boolean {
  const names = new Set(['.git'])
  const ends: string[] = []
  for (const line of gitignore.split('\n').map((text) => text.trim())) {
    if (line === '' || line.startsWith('#')) continue
    if (/^\*\.[\w.-]+$/.test(line)) ends.push(line.slice(1))
    else if (/^[\w.-]+\/?$/.test(line)) names.add(line.replace(/\/$/, ''))
    else
      throw new Error(`.gitignore: '${line}' is a pattern tools/src/tidy/repository.ts does not understand`)
  }
  return (name) => names.has(name) || ends.some((end) => name.endsWith(end))
}

function foldersOf(path: string): string[] {
  const steps = path.split('/').slice(0, -1)
  return steps.map((_, index) => steps.slice(0, index + 1).join('/'))
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new SyntaxError(`${path}: ${String(error)}`, { cause: error })
  }
}
