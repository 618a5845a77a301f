/**
 * Bundles a copy of the repository from its sources, without the compiler, in a second: for tests that change a line of them.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BUNDLES, OPTIONS } from './bundle.mjs'

/**
 * Makes the bundles that `bundle` makes.
 *
 * @param {string} root the folder of the copy
 */
export async function bundleSources(root) {
  for (const { entries, folder } of BUNDLES) {
    await build(root, { entryPoints: entries.map((entry) => sourceOf(root, entry)), outdir: folder })
  }
}

/**
 * Makes a program of one source, where the compiler would have put it.
 *
 * @param {string} root the folder of the copy
 * @param {string} built such as `packages/core/dist/events/relay.test.js`
 */
export async function bundleOne(root, built) {
  await build(root, { entryPoints: [sourceOf(root, built)], outfile: built, splitting: false })
}

/**
 * @param {string} root
 * @param {import('esbuild').BuildOptions} options
 */
async function build(root, options) {
  const esbuild = await import('esbuild')
  try {
    const plugins = [sourcesOfPackages(root)]
    await esbuild.build({
      ...OPTIONS,
      ...options,
      absWorkingDir: root,
      plugins,
      metafile: false,
      sourcemap: false,
      write: true,
    })
  } finally {
    await esbuild.stop()
  }
}

/**
 * Packages of the repository name what the compiler makes of their sources.
 *
 * @param {string} root
 * @returns {import('esbuild').Plugin}
 */
function sourcesOfPackages(root) {
  /** @type {Map<string, string>} */
  const found = new Map()
  return {
    name: 'sources of packages',
    setup({ onResolve }) {
      onResolve({ filter: /^@flotilla\// }, ({ path }) => {
        const known = found.get(path)
        if (known !== undefined) return { path: known }
        const [, name = '', ...rest] = path.split('/')
        const folder = ['packages', 'apps'].find((one) => existsSync(join(root, one, name))) ?? ''
        const { exports } = JSON.parse(readFileSync(join(root, folder, name, 'package.json'), 'utf8'))
        const target = exports[['.', ...rest].join('/')]
        const source = join(root, sourceOf(root, join(folder, name, target.default ?? target)))
        found.set(path, source)
        return { path: source }
      })
    },
  }
}

/**
 * `packages/core/dist/a.js` is made of `packages/core/src/a.ts`, `apps/shop/dist/a.js` of `apps/shop/a.ts`.
 *
 * @param {string} root
 * @param {string} built
 */
function sourceOf(root, built) {
  const source = built.replace(/\.js$/, '.ts')
  const beside = source.replace('/dist/', '/src/')
  return existsSync(join(root, beside)) ? beside : source.replace('/dist/', '/')
}
