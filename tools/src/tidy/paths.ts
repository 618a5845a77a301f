/**
 * What the path of a file says about it: its kind and the part of the architecture it belongs to.
 *
 * @module
 */

/** Whether it is code that the checks parse. */
export function isSourcePath(path: string): boolean {
  return /\.(?:tsx?|mjs|js)$/.test(path) && !path.endsWith('.d.ts')
}

/** Whether it is a test beside the code, `x.test.ts`, or part of the whole-system tests in tests/. */
export function isTestPath(path: string): boolean {
  return /\.test\.tsx?$/.test(path) || path.startsWith('tests/')
}

/** Whether it is product code, which answers to the strictest rules: packages/x/src and apps/x, tests aside. */
export function isProductPath(path: string): boolean {
  return (/^packages\/[^/]+\/src\//.test(path) || path.startsWith('apps/')) && !isTestPath(path)
}

/** The folder a file is in; '' for the root. */
export function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
}

/** The name of a file without folders and without `.ts`, `.test.ts` and the like. */
export function stemOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/(?:\.test)?\.\w+$/, '')
}

/**
 * The part of the architecture a file belongs to, such as `core/kernel` or `shop/cart`; `shop/app` for the files that
 * stand directly in an app's folder; undefined for files that belong to no part: tools, tests, configuration, and a
 * file directly in a package's src/, which ought to be in one.
 */
export function partOf(path: string): string | undefined {
  const [root, owner, ...rest] = path.split('/')
  if (root === 'packages' && rest[0] === 'src' && rest.length > 2) return `${owner}/${rest[1]}`
  if (root === 'apps' && rest.length > 0) return `${owner}/${rest.length === 1 ? 'app' : rest[0]}`
  return undefined
}

/** `target`, such as `../wire/http.ts`, seen from `folder`, as a path from the root; starts with `..` if it leaves it. */
export function joinPath(folder: string, target: string): string {
  const steps: string[] = []
  for (const step of [...folder.split('/'), ...target.split('/')]) {
    if (step === '' || step === '.') continue
    if (step === '..' && steps.length > 0 && steps.at(-1) !== '..') steps.pop()
    else steps.push(step)
  }
  return steps.join('/')
}
