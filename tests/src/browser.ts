/**
 * Debian's Chromium as a test drives it: pages that remember what the browser complained of, and what axe finds in them.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'

const EXECUTABLE = '/usr/bin/chromium'

/** How long a test waits for a state at the most: a machine that has ten times the work it can do takes its time. */
const BUSY_MS = 60_000

/** For `describe`: why tests in a browser cannot run here; false when they can. */
export const isWithoutBrowser: false | string = existsSync(EXECUTABLE)
  ? false
  : `there is no ${EXECUTABLE}: apt-get install chromium`

/** A page, and what the browser and the page's scripts complained of. */
export interface WatchedPage {
  readonly page: Page
  readonly complaints: string[]
}

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

/** Starts the browser; it is closed after the test. */
export async function openBrowser(t: { after(cleanUp: () => Promise<void>): void }): Promise<Browser> {
  // Its sandbox is refused to root, whom tests in a container run as; it sees our own pages alone.
  const browser = await chromium.launch({ executablePath: EXECUTABLE, chromiumSandbox: false })
  t.after(() => browser.close())
  return browser
}

/** Opens a page that has seen nothing yet. */
export async function openPage(browser: Browser, width = 1280, height = 800): Promise<WatchedPage> {
  const page = await browser.newPage({ viewport: { width, height }, reducedMotion: 'reduce' })
  page.setDefaultTimeout(BUSY_MS)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return
    complaints.push(`${message.text()} ${message.location().url}`)
  })
  return { page, complaints }
}

interface Violation {
  readonly id: string
  readonly help: string
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary?: string }[]
}

/** Everything that axe has against the page as it stands, `what` it shows named in the failure. */
export async function assertAccessible(page: Page, what: string): Promise<void> {
  await page.evaluate(axe)
  const { violations } = await page.evaluate<{ violations: Violation[] }>(
    `axe.run(document, { resultTypes: ['violations'] })`,
  )
  const found = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} (${help}): ${target.join(' ')} ${failureSummary ?? ''}`),
  )
  assert.deepEqual(found, [], what)
}

/** That the page is not wider than its window. */
export async function assertNotTooWide(page: Page, what: string): Promise<void> {
  const [has, may] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  )
  assert.ok(has <= may, `${what} is ${has} px wide in a window of ${may} px`)
}
