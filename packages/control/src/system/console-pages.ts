/**
 * The files of the console, as pages of the control API's server. They hold nothing secret: what the page shows it asks the API for, with the
 * key of the login link.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from '@flotilla/core/http-server'
import type { Secrets } from './data-folder.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Nothing from elsewhere, nothing in line, in no frame. */
const GUARDS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/** Name of the secret that the console's login link carries. */
export const CONSOLE_KEY = 'console key'
/** Name of the secret with which programs send telemetry. */
export const TELEMETRY_KEY = 'telemetry key'
const ROOT = '/console/'
const INDEX = 'index.html'

/**
 * Where the built console is, whether or not it was built. Its package stands beside this one, in the repository as in node_modules. It is not
 * imported: it takes the types of the API from here.
 */
export function consoleFolder(): string {
  return fileURLToPath(new URL('../console/bundle/', import.meta.resolve('@flotilla/control/package.json')))
}

/** Finds pages by path. Every path below `/console/` that is no file is the page itself, which knows what it stands for. */
export function consolePages(folder: string | undefined): (path: string) => Page | undefined {
  const files = new Map<string, Page>()
  const names = folder !== undefined && existsSync(folder) ? readdirSync(folder) : []
  for (const name of names) {
    const contentType = TYPES[extname(name)]
    if (contentType === undefined) continue
    // Names of files that change have a hash of what is in them.
    const cache = name === INDEX ? 'no-cache' : 'public, max-age=31536000, immutable'
    const headers = { ...GUARDS, 'cache-control': cache }
    files.set(name, { status: 200, contentType, headers, body: readFileSync(join(folder as string, name)) })
  }
  const index = files.get(INDEX) ?? { ...plain(404, 'The console is not built; run: npm run build\n') }
  return (path) => {
    if (path === '/' || path === '/console')
      return { ...plain(302, `See ${ROOT}\n`), headers: { ...GUARDS, location: ROOT } }
    if (!path.startsWith(ROOT)) return undefined
    const name = path.slice(ROOT.length)
    return files.get(name) ?? (extname(name) === '' ? index : plain(404, 'There is no such file.\n'))
  }
}

function plain(status: number, body: string): Page {
  return { status, contentType: 'text/plain; charset=utf-8', body, headers: GUARDS }
}

/** The link that logs in: the key is in the part of a URL that browsers send to nobody. */
export function consoleLink(controlUrl: string, secrets: Pick<Secrets, 'get'>): string {
  return `${controlUrl}${ROOT}#key=${secrets.get(CONSOLE_KEY)}`
}
