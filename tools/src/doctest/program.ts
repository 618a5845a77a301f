/**
 * Makes programs of examples: one module each, compiled against the built packages.
 *
 * Its code stands on the same lines as in the file it comes from, so that the compiler's messages point there; what
 * comes before is blank but for the import of `assert`.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Example } from './examples.ts'

/** An example as a program. */
export interface Program {
  readonly example: Example
  /** The compiled module; importing it runs the example. */
  readonly modulePath: string
}

const CONFIG = {
  extends: '../../tsconfig.base.json',
  compilerOptions: {
    composite: false,
    declaration: false,
    outDir: 'dist',
    rootDir: '.',
    // An example may show a name without using it.
    noUnusedLocals: false,
    noUnusedParameters: false,
  },
  include: ['**/*.ts'],
}

/**
 * Writes and compiles the programs. `root` is the folder of the repository; `folder`, such as `.cache/doctest`, is made
 * anew in it. `mistakes` is what the compiler says, '' for nothing, with the paths of the files that hold the examples.
 */
export async function compileExamples(
  root: string,
  folder: string,
  examples: readonly Example[],
): Promise<{ programs: Program[]; mistakes: string }> {
  rmSync(join(root, folder), { recursive: true, force: true })
  const programs = examples.map((example) => {
    const name = `${example.path}-${example.line}`
    const path = join(root, folder, `${name}.ts`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, programText(example))
    return { example, modulePath: join(root, folder, 'dist', `${name}.js`) }
  })
  if (programs.length === 0) return { programs, mistakes: '' }
  writeFileSync(join(root, folder, 'tsconfig.json'), JSON.stringify(CONFIG))
  return { programs, mistakes: await compile(root, folder) }
}

/** The source of one program. */
export function programText({ line, code }: Example): string {
  const assertion = code.includes(`from 'node:assert`) ? '' : `import assert from 'node:assert/strict'`
  return `${assertion}${'\n'.repeat(line - 1)}${code}\n`
}

function compile(root: string, folder: string): Promise<string> {
  const args = [join(root, 'node_modules/typescript/bin/tsc'), '--project', folder, '--pretty', 'false']
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root }, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`.replaceAll(
        new RegExp(`^${folder}/(.+)-\\d+\\.ts(?=\\()`, 'gm'),
        '$1',
      )
      resolve(error ? output.trim() || String(error) : '')
    })
  })
}
