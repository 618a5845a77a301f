/**
 * `npm run check`: everything that can be said about the code without running the system. Runs all steps even if one
 * fails; exit status 1 if any did.
 *
 * @module
 */
import { join } from 'node:path'
import { compiler, install, root, run } from './bootstrap.mjs'

/** @type {readonly (readonly [name: string, args: readonly string[]])[]} */
const STEPS = [
  ['types', compiler],
  ['lint', [join(root, 'node_modules/@biomejs/biome/bin/biome'), 'check', '--error-on-warnings']],
  ['tidy', [join(root, 'tools/dist/tidy/main.js')]],
  [
    'doctest',
    [
      '--enable-source-maps',
      '--test',
      '--test-reporter=spec',
      join(root, 'tools/dist/doctest/doctest.test.js'),
    ],
  ],
]

await install()
for (const [name, args] of STEPS) {
  const startMs = performance.now()
  const { status, output } = await run(process.execPath, args)
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(8)} ${seconds} s`)
  if (status === 0) continue
  console.log(output.trimEnd())
  process.exitCode = 1
}
