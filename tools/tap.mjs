/**
 * The Test Anything Protocol, as Node's test runner prints it, and before its summary what failed once more: who reads thousands of
 * results reads their end. A reporter of Node's test runner.
 *
 * @module
 */
import { relative } from 'node:path'
import { tap } from 'node:test/reporters'
import { root } from './bootstrap.mjs'

const FAILURES_MAX = 20
/** Of the error of one. */
const LINES_MAX = 12

/** @typedef {{ type: string, data: { name: string, file?: string, line?: number, details?: { error?: Error & { failureType?: string, cause?: unknown } } } }} Event */

/** @param {AsyncIterable<Event>} events */
// biome-ignore lint/style/noDefaultExport: how the test runner takes a reporter
export default async function* tapWithFailures(events) {
  /** @type {Event['data'][]} */
  const failed = []
  let told = false
  async function* watched() {
    for await (const event of events) {
      if (event.type === 'test:fail' && !isOfItsParts(event.data)) failed.push(event.data)
      yield event
    }
  }
  for await (const text of tap(/** @type {any} */ (watched()))) {
    if (!told && text.startsWith('# tests ')) {
      told = true
      yield failed.slice(0, FAILURES_MAX).map(inLines).join('')
      if (failed.length > FAILURES_MAX) yield `# and ${failed.length - FAILURES_MAX} more that failed\n`
    }
    yield text
  }
}

/**
 * A suite that failed because a test of it did.
 *
 * @param {Event['data']} data
 */
function isOfItsParts(data) {
  return data.details?.error?.failureType === 'subtestsFailed'
}

/** @param {Event['data']} data */
function inLines({ name, file, line, details }) {
  const error = details?.error?.cause ?? details?.error
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const where = file === undefined ? '' : ` (${relative(root, file)}:${line})`
  return [
    `failed: ${name}${where}`,
    ...text
      .split('\n')
      .slice(0, LINES_MAX)
      .map((one) => `  ${one}`),
  ]
    .map((one) => `# ${one}\n`)
    .join('')
}
