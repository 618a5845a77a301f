/** The console in a real browser, before a real system: what somebody sees who has been sent its link. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until } from '@flotilla/core/until'
import type { Browser, Locator, Page } from 'playwright-core'
import { assertAccessible, assertNotTooWide, isWithoutBrowser, openBrowser, openPage } from './browser.ts'
import { type Bed, run } from './flotilla-process.ts'
import { openOnce } from './open-once.ts'
import { openShop, type Shop } from './placements.ts'

const SKU = 'KIT-0001'
const address = { name: 'Ann', line1: 'Street 1', postcode: '01234', city: 'Town', country: 'DE' }

/** The system, with one order whose payment took three seconds at the provider. */
interface Seen {
  readonly browser: Browser
  readonly shop: Shop
  /** The login link. */
  readonly link: string
  /** Where the console is. */
  readonly console: string
  readonly orderId: string
  readonly traceId: string
}

async function open(t: { after(cleanUp: () => Promise<void>): void }): Promise<Seen> {
  const shop = await openShop(t, 'monolith')
  const [browser, link, order] = await Promise.all([
    openBrowser(t),
    run(shop.bed as Bed, 'console').then(({ output }) => output.split('\n', 1)[0] ?? ''),
    orderSlowly(shop),
  ])
  const [console = ''] = link.split('/#')
  return { browser, shop, link, console, ...order }
}

/** Places an order with the card that the provider takes three seconds for, and looks at it. */
async function orderSlowly(shop: Shop): Promise<{ readonly orderId: string; readonly traceId: string }> {
  const { id, token } = await shop.register('ann')
  await shop.api(`/cart/items/${SKU}`, { token, method: 'PUT', body: { quantity: 1 } })
  const placed = await shop.api('/orders', {
    token,
    body: { shippingAddress: address, paymentToken: 'tok_slow' },
    headers: { 'idempotency-key': id, prefer: 'wait=20' },
  })
  const orderId: string = placed.body.id
  assert.ok(orderId, placed.text)
  const isConfirmed = async (): Promise<boolean> =>
    (await shop.api(`/orders/${orderId}`, { token })).body.status === 'confirmed'
  await until('the order is confirmed', isConfirmed)
  const [, traceId = ''] = (placed.headers.get('traceparent') ?? '').split('-')
  return { orderId, traceId }
}

/** Waits until what the page asked for is there; what came too late on a busy machine, it asks for again. */
async function untilShown(page: Page, what: string): Promise<void> {
  await page.locator('main h1').waitFor()
  await until(
    `${what} has its answers`,
    async () => (await page.locator('main .waiting, main .failed').count()) === 0,
  )
}

/** Each page, and what it has to show of the system that runs. */
function pagesOf({ traceId }: Seen): readonly (readonly [path: string, shows: string])[] {
  return [
    ['/', 'table >> text=payments'],
    ['/map', '.map-node'],
    ['/services', 'table >> text=payments'],
    ['/services/payments', 'text=payments.authorise'],
    ['/traces', 'text=POST /api/v1/orders'],
    [`/traces/${traceId}`, '.span >> text=payments.authorise'],
    ['/logs', '.log-line'],
    ['/metrics?name=flotilla_server_duration_seconds&by=operation', 'canvas'],
    ['/events', 'table >> text=notifications'],
    ['/sagas', 'text=checkout'],
    ['/gateway', 'table >> text=placeOrder'],
    // On a busy machine something may have been resolved already.
    ['/alerts', 'main h2 >> text=Resolved'],
    ['/infrastructure', 'text=mailbox-1'],
  ]
}

describe('the console in a browser', { skip: isWithoutBrowser }, () => {
  const seen = openOnce(open)

  it('says how to log in, lets the link in, and keeps its key out of the address', async () => {
    const { browser, console, link } = seen()
    const { page, complaints } = await openPage(browser)
    await page.goto(`${console}/`)
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
    assert.match(await page.locator('main').innerText(), /npx flotilla console/)
    await assertAccessible(page, 'the login page')
    // Of the refusal itself the browser tells.
    assert.deepEqual(
      complaints.filter((one) => !one.includes('status of 401')),
      [],
    )
    await page.goto(link)
    await page.getByRole('navigation', { name: 'Pages' }).waitFor()
    assert.equal(page.url(), `${console}/`)
    await page.close()
  })

  it('leads from the overview to the cause of a slow payment in at most three clicks', async () => {
    const { browser, link, shop, traceId } = seen()
    const { page } = await openPage(browser)
    await page.goto(link)
    // On a busy machine other payments may be slow, too: it is to lead to one of ours.
    const slow = [traceId]
    const problem = page.locator('.problem', {
      hasText: /payments: .*one answer of a hundred takes \d+ ms.*a trace that shows it/s,
    })
    const cause = (): Locator =>
      problem.locator(slow.map((one) => `.problem-title[href*="${one}"]`).join(', ')).first()
    let clicks = 0
    const click = async (what: Locator): Promise<void> => {
      await what.click()
      clicks++
    }
    // Its figures are of the last minute.
    await until('the overview tells of it', async () => {
      if ((await cause().count()) === 0) slow.push((await orderSlowly(shop)).traceId)
      return (await cause().count()) > 0
    })
    await click(cause())
    const provider = page.locator('.span', { hasText: /POST .*payments/ }).first()
    await provider.waitFor()
    assert.match(page.url(), /\/traces\/[0-9a-f]{32}$/)
    assert.match((await provider.getAttribute('class')) ?? '', /\bis-critical\b/)
    const [, seconds] = /\b(\d+\.\d+) s\b/.exec(await provider.innerText()) ?? []
    assert.ok(Number(seconds) >= 3, await provider.innerText())
    const answer = page.locator('.span.is-critical', { hasText: /answer.*provider/s })
    assert.match(await answer.first().innerText(), /\b[3-9]\.\d+ s\b/)
    await click(provider.locator('.link-button').first())
    assert.match(await provider.innerText(), /http\.response\.status_code/)
    assert.ok(clicks <= 3)
    await page.close()
  })

  for (const [theme, width] of [
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
  ] as const) {
    it(`shows every page: ${theme}, ${width} px wide`, async () => {
      const { browser, console, link } = seen()
      const { page, complaints } = await openPage(browser, width)
      await page.emulateMedia({ colorScheme: theme })
      await page.goto(link)
      for (const [path, shows] of pagesOf(seen())) {
        const what = `${path}, ${theme}, ${width} px`
        await page.goto(console + path)
        await untilShown(page, what)
        await page.locator(shows).first().waitFor()
        await assertNotTooWide(page, what)
        await assertAccessible(page, what)
      }
      // What came too late was asked for again: the page has shown it.
      assert.deepEqual(
        complaints.filter((one) => !/status of 50[34]/.test(one)),
        [],
      )
      await page.close()
    })
  }

  it('keeps the buttons of the map off the picture', async () => {
    const { browser, console, link } = seen()
    const { page } = await openPage(browser)
    await page.goto(link)
    await page.goto(`${console}/map`)
    const buttons = page.locator('.map-buttons button')
    await buttons.first().waitFor()
    const picture = await page.locator('.map-svg').boundingBox()
    for (const button of await buttons.all()) {
      const box = await button.boundingBox()
      assert.ok(box !== null && picture !== null && box.y + box.height <= picture.y, await button.innerText())
    }
    await page.close()
  })

  it('says that what it shows is old when answers fail to come', async () => {
    const { browser, console, link } = seen()
    const { page } = await openPage(browser)
    await page.goto(link)
    await page.clock.install()
    await page.goto(`${console}/traces`)
    await page.locator('table').waitFor()
    // Asked again and again meanwhile.
    await page.route('**/operations/observe.traces', () => {})
    for (let passed = 0; passed < 30; passed += 5) await page.clock.runFor(5_000)
    await page.locator('.failed', { hasText: 'What you see is old' }).waitFor()
    assert.ok((await page.locator('table tbody tr').count()) > 0)
    await page.close()
  })

  it('follows the log in the end when the server had too much to do, and says so meanwhile', async () => {
    const { browser, console, link, shop } = seen()
    const { page } = await openPage(browser)
    await page.goto(link)
    const busy = { code: 'resource_exhausted', detail: 'Too many follow already.', status: 429 }
    let asked = 0
    await page.route('**/operations/observe.followLogs', (route) =>
      ++asked === 1 ? route.fulfill({ status: 429, json: busy }) : route.continue(),
    )
    await page.goto(`${console}/logs?live=1`)
    const told = page.locator('.failed', { hasText: busy.detail })
    await told.waitFor()
    await until('a line is shown', async () => {
      await shop.api('/products')
      return (await page.locator('.log-line').count()) > 0
    })
    assert.equal(asked, 2)
    assert.equal(await told.count(), 0)
    await page.close()
  })

  it('finds the lines of an order by its id, and a line’s trace', async () => {
    const { browser, console, link, orderId } = seen()
    const { page } = await openPage(browser)
    await page.goto(link)
    await page.goto(`${console}/logs`)
    await page.getByLabel('Query').fill(`order_id=${orderId}`)
    await page.keyboard.press('Enter')
    const line = page
      .locator('.log-line', { hasText: `order_id=${orderId}` })
      .filter({ hasText: 'order confirmed' })
    await line.waitFor()
    await line.getByRole('link', { name: /^Trace / }).click()
    await page.locator('.span').first().waitFor()
    assert.match(page.url(), /\/traces\/[0-9a-f]{32}$/)
    await page.close()
  })

  it('changes nothing until changes are allowed, asks before it does, and writes down what was done', async () => {
    const { browser, console, link } = seen()
    const { page } = await openPage(browser)
    await page.goto(link)
    await page.goto(`${console}/infrastructure`)
    const restart = page.getByRole('row', { name: /mailbox-1/ }).getByRole('button', { name: 'Restart' })
    await restart.waitFor()
    assert.equal(await restart.getAttribute('aria-disabled'), 'true')
    await restart.click({ force: true })
    assert.equal(await page.getByRole('dialog').count(), 0)
    assert.equal(await restartStatus(seen(), {}), 403, 'the server refuses, too')
    await page.getByLabel('Allow changes').check()
    await restart.click()
    const dialog = page.getByRole('dialog', { name: 'Restart mailbox-1?' })
    await assertAccessible(page, 'the confirmation')
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await dialog.waitFor({ state: 'detached' })
    assert.equal(await page.getByRole('row', { name: /control\.restart/ }).count(), 0)
    await restart.click()
    await dialog.getByRole('button', { name: 'Restart' }).click()
    await page.getByText('mailbox-1 was restarted.').waitFor()
    const entries = page.getByRole('row', { name: /control\.restart.*mailbox-1/ })
    await entries.filter({ hasText: 'done' }).waitFor()
    assert.equal(await entries.filter({ hasText: 'begun' }).count(), 1)
    await page.reload()
    await restart.waitFor()
    assert.equal(await page.getByLabel('Allow changes').isChecked(), false)
    await page.close()
  })
})

/** What the server answers who asks for a restart with the console's key. */
async function restartStatus({ console, link }: Seen, headers: Record<string, string>): Promise<number> {
  const [, key = ''] = link.split('#key=')
  const { status } = await fetch(new URL('/operations/control.restart', console), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${key}`,
      'x-flotilla-console': '1',
      ...headers,
    },
    body: JSON.stringify({ process: 'mailbox-1' }),
  })
  return status
}
