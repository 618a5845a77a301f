/**
 * `npm test [-- SUBSTRING … --FLAG …]`: installs what is missing, builds, and runs every test whose path contains one of
 * the substrings (all without any). Flags go to Node's test runner, whose summary is the last thing printed, after what failed; but
 * for `--slowest`, which adds how long the tests of each file took.
 *
 * Tests beside the code run in one process for each package, which imports them all: 40 files take 1.6 s so, and 25 s as
 * 40 processes. Those of several packages run at the same time.
 * Whole-system tests, in tests/, start processes of their own and run one file a process, each when there is nothing else that wants its cores.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, fail, install, root } from './bootstrap.mjs'

/** Where files that run leave their process numbers. */
const GATE = '.cache/test/gate'
/** For a file of whole-system tests, and for all tests beside the code of one package. */
const FILE_TIMEOUT_MS = 600_000
/** What the database server of the tests and the systems that they start may come to use. */
const MEMORY_BYTES_MIN = 5 * 1024 ** 3
const CORES = availableParallelism()
/** A whole-system test keeps about two cores busy. */
const SYSTEMS_AT_ONCE = Math.max(1, Math.floor(CORES / 2))
/** Tests of a package wait for one thing or another half of the time. With one more than may run, the next system is always at the gate. */
const FILES_AT_ONCE = Math.max(CORES, SYSTEMS_AT_ONCE + 1)

const flags = runnerFlags(process.argv.slice(2).filter((arg) => arg.startsWith('-')))
const substrings = process.argv.slice(2).filter((arg) => !arg.startsWith('-'))

await install()
await build()
const chosen = testFiles().filter(
  (path) => substrings.length === 0 || substrings.some((one) => path.includes(one)),
)
if (chosen.length === 0) fail(`No test file has '${substrings.join("' or '")}' in its path.`)
const isWhole = (/** @type {string} */ path) => path.startsWith('tests/')
const besideCode = chosen.filter((path) => !isWhole(path))
const packages = [...new Set(besideCode.map(packageOf))]
rmSync(join(root, GATE), { recursive: true, force: true })
mkdirSync(join(root, GATE), { recursive: true })
const files = packages.map((name) =>
  writeEntry(
    name,
    besideCode.filter((path) => packageOf(path) === name),
  ),
)
// Node runs files in the order of their names, so a file may only wait for names before its own.
const systemName = (/** @type {number} */ index) => `system-${String(index).padStart(3, '0')}`
for (const [index, path] of chosen.filter(isWhole).entries()) {
  // All packages first, and the system whose place it takes.
  const before = index < SYSTEMS_AT_ONCE ? packages.map(packageName) : [systemName(index - SYSTEMS_AT_ONCE)]
  files.push(writeGated(systemName(index), path, before))
}

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop.abort(signal))
openFolder()
const postgres = await openPostgres()
try {
  process.exitCode = stop.signal.aborted ? 1 : await runTests(files)
} finally {
  await postgres.close()
}

/**
 * What Node's test runner is told beside the files. A reporter of our own is one more only where the usual one is named, too.
 *
 * @param {readonly string[]} given
 */
function runnerFlags(given) {
  const others = given.filter((flag) => flag !== '--slowest')
  if (others.some((flag) => flag.startsWith('--test-reporter'))) return others
  const usual = process.stdout.isTTY ? 'spec' : './tools/tap.mjs'
  const reporters = others.length < given.length ? [usual, './tools/slowest.mjs'] : [usual]
  return [
    ...others,
    ...reporters.flatMap((name) => [`--test-reporter=${name}`, '--test-reporter-destination=stdout']),
  ]
}

/** The sources of all tests, from the root: those in dist/ may be left over from a source that is gone. */
function testFiles() {
  return ['packages', 'apps', 'tools', 'tests']
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) =>
        join(folder, path),
      ),
    )
    .map((path) => path.split(sep).join('/'))
    .filter((path) => /\.test\.tsx?$/.test(path) && !/\/(?:node_modules|dist|bundle)\//.test(path))
    .sort()
}

/**
 * What a test was built to: packages/core/src/a.test.ts to packages/core/dist/a.test.js.
 *
 * @param {string} path
 */
function builtFile(path) {
  const depth = /^(?:packages|apps)\//.test(path) ? 2 : 1
  const steps = path.replace(/\.tsx?$/, '.js').split('/')
  const below = steps.slice(steps[depth] === 'src' ? depth + 1 : depth)
  const built = join(root, ...steps.slice(0, depth), 'dist', ...below)
  if (!existsSync(built)) fail(`${path} was not built: does tsconfig.json refer to its package?`)
  return built
}

/**
 * `core` of packages/core/src/a.test.ts.
 *
 * @param {string} path
 */
function packageOf(path) {
  const [first = '', second = ''] = path.split('/')
  return first === 'packages' || first === 'apps' ? second : first
}

/**
 * Writes the file that runs a whole-system test once others have ended, and returns its path. Whoever runs leaves its process number at the
 * gate: also one that was killed has ended.
 *
 * @param {string} name
 * @param {string} path
 * @param {readonly string[]} before the names of the others
 */
function writeGated(name, path, before) {
  const entry = join(root, `.cache/test/${name}.mjs`)
  writeFileSync(
    entry,
    `${leavesNumber(name)}
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

function hasEnded(name) {
  const path = ${JSON.stringify(join(root, GATE))} + '/' + name
  if (!existsSync(path)) return false
  try {
    process.kill(Number(readFileSync(path, 'utf8')), 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

while (!${JSON.stringify(before)}.every(hasEnded)) await pause(100)
await import(${JSON.stringify(pathToFileURL(builtFile(path)).href)})
`,
  )
  return entry
}

/** @param {string} name of a package */
function packageName(name) {
  return `package-${name}`
}

/** @param {string} name */
function leavesNumber(name) {
  return `import { renameSync, writeFileSync } from 'node:fs'

const gate = ${JSON.stringify(join(root, GATE, name))}
writeFileSync(gate + '.new', String(process.pid))
renameSync(gate + '.new', gate)
`
}

/**
 * Writes the file that imports all these tests of a package, and returns its path. A test file that cannot be imported is one failed
 * test; when time is up, the tests that are still running are named, which Node's own time limit does not do.
 *
 * @param {string} name
 * @param {readonly string[]} paths
 */
function writeEntry(name, paths) {
  const urls = Object.fromEntries(paths.map((path) => [path, pathToFileURL(builtFile(path)).href]))
  const entry = join(root, `.cache/test/${packageName(name)}.mjs`)
  writeFileSync(
    entry,
    `${leavesNumber(packageName(name))}
import { afterEach, beforeEach, it } from 'node:test'

const running = new Set()
beforeEach((context) => running.add(context.fullName))
afterEach((context) => running.delete(context.fullName))
const timer = setTimeout(() => {
  console.log('Time is up while running: ' + [...running].join(', '))
  process.exit(1)
}, ${FILE_TIMEOUT_MS - 5_000})
timer.unref()

for (const [path, url] of Object.entries(${JSON.stringify(urls, undefined, 2)})) {
  try {
    await import(url)
  } catch (error) {
    it('import ' + path, () => Promise.reject(error))
  }
}
`,
  )
  return entry
}

/**
 * The database server of the tests, told to them as FLOTILLA_TEST_DATABASE_URL. Nothing is started when that is set
 * already, or when control/postgres is not there. This function alone knows how the server is opened.
 */
async function openPostgres() {
  const built = (/** @type {string} */ path) => pathToFileURL(join(root, 'packages', path)).href
  const program = 'control/dist/postgres/postgres.js'
  if (
    process.env['FLOTILLA_TEST_DATABASE_URL'] !== undefined ||
    !existsSync(join(root, 'packages', program))
  ) {
    return { close: async () => undefined }
  }
  const { openPostgres: open } = await import(built(program))
  const { systemClock: clock } = await import(built('core/dist/kernel/clock.js'))
  const { systemRandom: random } = await import(built('core/dist/kernel/random.js'))
  const dataDir = join(tmpdir(), 'postgres')
  const server = await open({ dataDir, port: await freePort(), ports: { clock, random } }).catch(
    (/** @type {unknown} */ error) =>
      fail(
        `PostgreSQL for the tests did not start: ${error}`,
        'FLOTILLA_TEST_DATABASE_URL can name another.',
      ),
  )
  process.env['FLOTILLA_TEST_DATABASE_URL'] = server.adminUrl
  return server
}

/**
 * A folder for all that the tests write, which they and what they start take for that of temporary files. In memory, where there is
 * room: to make and drop hundreds of databases is mostly waiting for the disk, the longer the more of them were dropped just before.
 * What survives a killed process does so there as well; no test cuts the power.
 */
function openFolder() {
  const path = mkdtempSync(join(memoryFolder() ?? tmpdir(), 'flotilla-test-'))
  // Some servers in it run as another user.
  chmodSync(path, 0o755)
  process.env['TMPDIR'] = path
  process.on('exit', () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }))
}

/** Where nobody has asked for another folder, and programs may be run from it. */
function memoryFolder() {
  const folder = '/dev/shm'
  if (process.env['TMPDIR'] !== undefined || !existsSync(folder)) return undefined
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize < MEMORY_BYTES_MIN) return undefined
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n')
  const options = mounts.find((line) => line.split(' ')[1] === folder)?.split(' ')[3] ?? ''
  return options.split(',').includes('noexec') ? undefined : folder
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0))
    })
  })
}

/**
 * Runs Node's test runner over the files, and ends it when we are told to end, so that the database ends last.
 *
 * @param {readonly string[]} paths
 * @returns {Promise<number>} its exit status
 */
function runTests(paths) {
  const args = [
    '--enable-source-maps',
    '--test',
    `--test-timeout=${FILE_TIMEOUT_MS}`,
    `--test-concurrency=${FILES_AT_ONCE}`,
    ...flags,
    ...paths,
  ]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' })
    stop.signal.addEventListener('abort', () => child.kill(stop.signal.reason))
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? 1))
  })
}
