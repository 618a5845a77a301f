/**
 * What every script of the repository does first, so that a fresh clone needs nothing but Node and npm: check Node,
 * install what the lockfile names, build. Plain JavaScript without dependencies, for it runs before there are any.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository, wherever it was started from. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** The compiler, as arguments for `node`: builds what changed. */
export const compiler = [join(root, 'node_modules/typescript/bin/tsc'), '--build']

/** Installs what is missing. Ends the process when Node is too old, or npm fails. */
export async function install() {
  checkNode()
  if (isInstalled()) return
  const isFirst = !existsSync(join(root, 'node_modules'))
  // Development tools are needed whatever NODE_ENV says; install scripts are not, and newer versions of npm block them.
  const args = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund']
  const npm = process.env['npm_execpath'] ?? ''
  const { status, output } = await showing(
    `installing dependencies${isFirst ? ' (first time, about a minute)' : ''}`,
    0,
    () => (npm.endsWith('.js') ? run(process.execPath, [npm, ...args]) : run('npm', args)),
  )
  if (status !== 0) fail(output.trim(), '', `npm ci failed. ${npmHint(output)}`)
}

/** Compiles and bundles what changed since the last time. Ends the process when the code does not compile. */
export async function build() {
  await showing('building', 700, async () => {
    const { status, output } = await run(process.execPath, compiler)
    if (status !== 0) fail(output.trim(), '', 'The code does not compile.')
    const { bundle } = await import('./bundle.mjs')
    await bundle(root).catch((error) => fail(String(error), '', 'The code cannot be bundled.'))
  })
}

/**
 * Prints what is wrong and what to do, and ends the process with status 1.
 *
 * @param {readonly string[]} lines
 * @returns {never}
 */
export function fail(...lines) {
  for (const line of lines) console.error(line)
  process.exit(1)
}

/**
 * Runs a program to its end and keeps what it prints. A program that cannot be started has status 1 and says why.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<{ status: number, output: string }>}
 */
export function run(command, args) {
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
        output += text
      })
    }
    child.on('error', (error) => resolve({ status: 1, output: String(error) }))
    child.on('close', (status) => resolve({ status: status ?? 1, output }))
  })
}

/** The oldest Node that will do is the one package.json names. */
function checkNode() {
  const oldest = String(readJson('package.json').engines.node).replace('>=', '')
  const [major = 0, minor = 0] = oldest.split('.').map(Number)
  const [ownMajor = 0, ownMinor = 0] = process.versions.node.split('.').map(Number)
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return
  fail(
    `Flotilla needs Node.js ${oldest} or newer, this is ${process.version}: see https://nodejs.org/en/download`,
  )
}

/**
 * Whether node_modules holds what package-lock.json asks for. npm keeps its own record of what it installed; comparing
 * with that, rather than with a stamp of ours, also recognises an installation made by hand.
 */
function isInstalled() {
  const record = 'node_modules/.package-lock.json'
  if (!existsSync(join(root, record))) return false
  const present = readJson(record).packages
  /** @type {[string, { version?: string, integrity?: string, link?: boolean, optional?: boolean }][]} */
  const wanted = Object.entries(readJson('package-lock.json').packages)
  return wanted.every(([path, { version, integrity, link, optional }]) => {
    if (!path.includes('node_modules/')) return true
    const found = present[path]
    // Optional packages are missing where they are made for another platform.
    if (found === undefined) return optional === true
    return link === true || (found.version === version && found.integrity === integrity)
  })
}

/** @param {string} output what npm printed */
function npmHint(output) {
  if (/\b(?:EACCES|EROFS|EPERM)\b/.test(output)) {
    return 'A folder is not writable: the checkout, or the npm cache (set npm_config_cache to one that is).'
  }
  if (/\bENOSPC\b/.test(output)) return 'The disk is full.'
  if (/\bspawn npm ENOENT\b/.test(output)) return 'Is npm installed and on the PATH?'
  if (/\b(?:EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT)\b|network/i.test(output)) {
    return 'The npm registry cannot be reached: check the network, and proxy and registry in your .npmrc.'
  }
  return 'Its message is above.'
}

/**
 * Tells the user what takes so long: nothing before `afterMs`, then a line at once, every 15 s and at the end.
 *
 * @template T
 * @param {string} what
 * @param {number} afterMs
 * @param {() => Promise<T>} action
 */
async function showing(what, afterMs, action) {
  const startMs = performance.now()
  const seconds = () => `${((performance.now() - startMs) / 1000).toFixed(1)} s`
  let isShown = false
  const start = setTimeout(() => {
    isShown = true
    console.log(`${what} …`)
  }, afterMs)
  const again = setInterval(() => console.log(`${what} … ${seconds()}`), 15_000)
  try {
    return await action()
  } finally {
    clearTimeout(start)
    clearInterval(again)
    if (isShown) console.log(`${what}: ${seconds()}`)
  }
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'))
}
