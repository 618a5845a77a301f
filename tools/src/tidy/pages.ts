/**
 * Documentation that rots unseen: links, paths and commands in Markdown that lead nowhere.
 *
 * @module
 */
import type { Finding } from './finding.ts'
import { folderOf, joinPath } from './paths.ts'
import type { Repository } from './repository.ts'
import type { Manifest } from './workspaces.ts'

const LINK = /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|^\s*\[[^\]]+\]:\s*(\S+)|\b(?:src|href)="([^"]+)"/g
const CODE = /(`+)(.+?)\1/g
const REPOSITORY_PATH = /^(?:\.ci|apps|bench|docs|lab|packages|tests|tools)\/[\w./@-]*$/
/** Words after `npm` that are npm's own. */
const NPM_COMMANDS = new Set(
  'audit ci config exec i init install link ls outdated pkg publish run update view'.split(' '),
)

/** Links and anchors that do not resolve, paths and npm scripts that do not exist. */
export function checkPages(repository: Repository): Finding[] {
  const scripts = (repository.json('package.json') as Manifest | undefined)?.scripts ?? {}
  const found: Finding[] = []
  for (const path of repository.paths.filter((one) => one.endsWith('.md'))) {
    for (const { text, line, isCode } of linesOf(repository.text(path) ?? '')) {
      const messages = isCode
        ? wrongScripts(text, scripts)
        : [
            ...wrongLinks(repository, path, text.replace(CODE, '')),
            ...[...text.matchAll(CODE)].flatMap(([, , code = '']) => [
              ...wrongPaths(repository, code),
              ...wrongScripts(code, scripts),
            ]),
          ]
      found.push(...messages.map((message) => ({ path, line, message })))
    }
  }
  return found
}

interface Line {
  readonly text: string
  readonly line: number
  /** Inside a fenced block. */
  readonly isCode: boolean
}

function linesOf(markdown: string): Line[] {
  let fence: string | undefined
  return markdown.split('\n').map((text, index) => {
    const mark = /^\s*(`{3,}|~{3,})/.exec(text)?.[1]
    const isCode = fence !== undefined || mark !== undefined
    if (fence === undefined) fence = mark
    else if (mark?.startsWith(fence) && text.trim() === mark) fence = undefined
    return { text, line: index + 1, isCode }
  })
}

function wrongLinks(repository: Repository, path: string, text: string): string[] {
  return [...text.matchAll(LINK)].flatMap((match) => {
    const link = match[1] ?? match[2] ?? match[3] ?? ''
    if (/^[a-z][a-z+.-]*:/i.test(link) || link.startsWith('//')) return []
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? path : joinPath(file.startsWith('/') ? '' : folderOf(path), decodeURI(file))
    if (!repository.has(target)) return [`the link '${link}' leads nowhere`]
    if (anchor === undefined || !target.endsWith('.md')) return []
    return anchorsOf(repository.text(target) ?? '').has(anchor)
      ? []
      : [`'${link}': no such heading in ${target}`]
  })
}

/** The anchors GitHub gives to the headings of a page, and those set by hand. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const { text, isCode } of linesOf(markdown)) {
    if (isCode) continue
    for (const [, id = ''] of text.matchAll(/\b(?:id|name)="([^"]+)"/g)) anchors.add(id)
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(text)?.[1]
    if (heading === undefined) continue
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-')
    let anchor = slug
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`
    anchors.add(anchor)
  }
  return anchors
}

/** Build output is not checked: it is there only after a build. */
function wrongPaths(repository: Repository, code: string): string[] {
  const path = code.replace(/:\d+(?:-\d+)?$/, '')
  if (!REPOSITORY_PATH.test(path) || /\/(?:dist|bundle)(?:\/|$)/.test(path)) return []
  return repository.has(path) ? [] : [`there is no ${path}`]
}

function wrongScripts(text: string, scripts: Readonly<Record<string, string>>): string[] {
  return [...text.matchAll(/\bnpm (run )?([a-z][\w:-]*)/g)].flatMap(([, isRun, script = '']) => {
    if (Object.hasOwn(scripts, script) || (isRun === undefined && NPM_COMMANDS.has(script))) return []
    return [`package.json has no script '${script}'`]
  })
}
