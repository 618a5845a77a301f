/**
 * What `npm test -- --slowest` prints beside the results: how long the tests of each file took together, the slowest file first.
 * A reporter of Node's test runner.
 *
 * @module
 */
import { relative } from 'node:path'
import { root } from './bootstrap.mjs'

const FILES_MAX = 40

/** @param {AsyncIterable<{ type: string, data: { nesting: number, file?: string, details: { duration_ms: number } } }>} events */
// biome-ignore lint/style/noDefaultExport: how the test runner takes a reporter
export default async function* slowest(events) {
  /** @type {Map<string, number>} */
  const took = new Map()
  for await (const { type, data } of events) {
    // Suites count what is in them.
    if ((type !== 'test:pass' && type !== 'test:fail') || data.nesting > 0) continue
    const file = relative(root, data.file ?? '')
    took.set(file, (took.get(file) ?? 0) + data.details.duration_ms)
  }
  const rows = [...took].sort(([, one], [, other]) => other - one)
  const total = rows.reduce((sum, [, ms]) => sum + ms, 0)
  yield `\n${inSeconds(total)} all files; of them\n`
  for (const [file, ms] of rows.slice(0, FILES_MAX)) yield `${inSeconds(ms)} ${file}\n`
}

/** @param {number} ms */
function inSeconds(ms) {
  return `${(ms / 1_000).toFixed(1).padStart(8)} s`
}
