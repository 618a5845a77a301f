import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { defineApp } from '@flotilla/core/app'
import type { Calls } from '@flotilla/core/calls'
import { systemClock } from '@flotilla/core/clock'
import { Metrics } from '@flotilla/core/metrics'
import { OutsideRequests } from '@flotilla/core/outside-requests'
import { dumpSchema } from '@flotilla/core/schema-dump'
import { openTestApp } from '@flotilla/core/test-app'
import { testCall } from '@flotilla/core/test-call'
import type { TestDatabase } from '@flotilla/core/test-database'
import type { Transaction } from '@flotilla/core/transaction'
import { until } from '@flotilla/core/until'
import fc from 'fast-check'
import { SMTPServer } from 'smtp-server'
import { notifications } from '../contracts/notifications.ts'
import { ATTEMPTS_MAX, bookFailure, bookSent, claimMails, type Mail, noteMail } from './mail-store.ts'
import { notificationsService } from './service.ts'
import { openPost } from './smtp.ts'
import {
  cancelledMail,
  confirmedMail,
  deliveredMail,
  expiredMail,
  refundedMail,
  rejectedMail,
  shippedMail,
} from './templates.ts'

/** The app's: built, this file lies in dist/notifications. */
const FOLDER = join(import.meta.dirname, '../..')

const personOf = (id: string, role = 'customer') => ({ id, roles: [role], scopes: [], tier: 'free' })
const eur = (amount: number) => ({ amount, currency: 'EUR' })
const owner = (orderId: string) => ({ orderId, userId: 'ann', email: 'ann@shop.test' })
const confirmed = (orderId: string) => ({
  ...owner(orderId),
  lines: [
    { name: 'Kettle', quantity: 2, lineTotal: eur(4_998) },
    { name: 'Tea', quantity: 1, lineTotal: eur(705) },
  ],
  totals: { subtotal: eur(5_703), discount: eur(570), shipping: eur(490), total: eur(5_623) },
  shippingAddress: { name: 'Ann', line1: 'Hill 1', postcode: '01067', city: 'Dresden', country: 'DE' },
})

/** A mail server that does as it is told. */
class MailHost {
  /** Message-IDs, as they arrived. */
  readonly arrived: string[] = []
  readonly texts: string[] = []
  /** What it answers to a mail: nothing is "taken". */
  refusal: number | undefined
  readonly #server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 100,
    onData: (stream, _, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        if (this.refusal === undefined) {
          this.arrived.push(/^message-id: <(.*)>/im.exec(text)?.[1] ?? '')
          this.texts.push(text)
        }
        const { refusal } = this
        done(refusal === undefined ? null : Object.assign(new Error('No'), { responseCode: refusal }))
      })
    },
  })

  async open(t: TestContext): Promise<string> {
    this.#server.on('error', () => {})
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', () => resolve()))
    t.after(() => new Promise<void>((resolve) => this.#server.close(() => resolve())))
    const address = this.#server.server.address()
    return `smtp://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  }
}

interface Opened {
  readonly database: TestDatabase
  readonly mine: Calls<typeof notifications>
  readonly foreign: Calls<typeof notifications>
  readonly admin: Calls<typeof notifications>
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  note(...mails: readonly Mail[]): Promise<void>
}

async function open(t: TestContext, smtpUrl = ''): Promise<Opened> {
  const { call, databases } = await openTestApp(t, {
    app: defineApp({
      name: 'notifications test',
      folder: FOLDER,
      services: { notifications: async () => notificationsService },
    }),
    placement: 'one process',
    environment: { NOTIFICATIONS_SMTP_URL: smtpUrl, NOTIFICATIONS_SEND_MS: '10' },
  })
  const database = databases.get('notifications') as TestDatabase
  const opened = database.open()
  const transaction: Opened['transaction'] = (work) => opened.session(testCall()).transaction(work)
  return {
    database,
    mine: call(notifications, { user: personOf('ann') }),
    foreign: call(notifications, { user: personOf('ben') }),
    admin: call(notifications, { user: personOf('the-admin', 'admin') }),
    transaction,
    note: (...mails) =>
      transaction(async (tx) => {
        for (const mail of mails) noteMail(tx, mail)
      }),
  }
}

describe('the schema of notifications', () => {
  it('is what schema.sql says', async (t) => {
    const { database } = await open(t)
    const path = join(FOLDER, 'notifications/schema.sql')
    const dump = await dumpSchema(database.open().session(testCall()), ['public'])
    if (process.env['FLOTILLA_UPDATE'] === '1') await writeFile(path, dump)
    assert.equal(await readFile(path, 'utf8'), dump)
  })
})

describe('templates', () => {
  it('tell of a confirmed order to the cent', () => {
    const { subject, body, recipient } = confirmedMail(confirmed('o1'))
    assert.equal(recipient, 'ann@shop.test')
    assert.equal(subject, 'Your order o1 is confirmed')
    assert.equal(
      body,
      `Hello,

thank you for your order. This is what you bought:

2 × Kettle: 49.98 EUR
1 × Tea: 7.05 EUR

Subtotal: 57.03 EUR
Discount: -5.70 EUR
Shipping: 4.90 EUR
Total: 56.23 EUR

We send it to:
Ann
Hill 1
01067 Dresden
DE

Your shop
`,
    )
  })

  it('tell of what follows', () => {
    const parcel = { ...owner('o1'), shipmentId: 's1', trackingNumber: 'FL1' }
    const mails = [
      cancelledMail(owner('o1')),
      rejectedMail(owner('o1')),
      expiredMail(owner('o1')),
      refundedMail({ ...owner('o1'), refundId: 'r1', amount: eur(1) }),
      shippedMail(parcel),
      deliveredMail(parcel),
    ]
    assert.deepEqual(
      mails.map(({ template, about }) => [template, about]),
      [
        ['cancelled', undefined],
        ['rejected', undefined],
        ['expired', undefined],
        ['refunded', 'r1'],
        ['shipped', 's1'],
        ['delivered', 's1'],
      ],
    )
    assert.match(mails[3]?.body ?? '', /refunded 0\.01 EUR/)
    assert.match(mails[4]?.body ?? '', /FL1/)
  })
})

describe('mails', () => {
  it('are noted once for each order, template and occasion, however often and in whatever order', async (t) => {
    const { database, note } = await open(t)
    const orderIds = ['o1', 'o2', 'o3']
    const parcel = (orderId: string) => ({ ...owner(orderId), shipmentId: 's1', trackingNumber: 'FL1' })
    const all = orderIds.flatMap((id) => [
      confirmedMail(confirmed(id)),
      cancelledMail(owner(id)),
      refundedMail({ ...owner(id), refundId: `${id}-1`, amount: eur(1) }),
      refundedMail({ ...owner(id), refundId: `${id}-2`, amount: eur(2) }),
      shippedMail(parcel(id)),
      deliveredMail(parcel(id)),
    ])
    const disorder = fc.subarray(all).chain((once) => {
      const twice = [...once, ...once]
      return fc.tuple(fc.constant(once), fc.shuffledSubarray(twice, { minLength: twice.length }))
    })
    const rows = () => database.ask('select id, order_id, template, about, body from mail order by id')
    await fc.assert(
      fc.asyncProperty(disorder, async ([once, twice]) => {
        await database.ask('truncate mail')
        await note(...once)
        const expected = await rows()
        assert.equal(expected.length, once.length)
        await database.ask('truncate mail')
        for (const mail of twice) await note(mail)
        assert.deepEqual(await rows(), expected)
      }),
      { numRuns: 20 },
    )
  })

  it('are shown to whom they went, page by page', async (t) => {
    const { mine, foreign, note } = await open(t)
    for (const id of ['o1', 'o2', 'o3']) await note(confirmedMail(confirmed(id)))
    const { items } = await mine.list()
    assert.deepEqual(items.map(({ orderId }) => orderId).sort(), ['o1', 'o2', 'o3'])
    // The newest first; those of one millisecond have an order too.
    const rank = ({ createdAt, id }: { createdAt: string; id: string }) => `${createdAt} ${id}`
    assert.deepEqual(items.map(rank), items.map(rank).sort().reverse())
    assert.equal(items[0]?.status, 'pending')
    const first = await mine.list({ limit: 2 })
    const rest = await mine.list({ limit: 2, cursor: first.nextCursor ?? '' })
    assert.deepEqual([...first.items, ...rest.items], items)
    assert.equal(rest.nextCursor, null)
    assert.deepEqual(await foreign.list(), { items: [], nextCursor: null })
    await assert.rejects(foreign.list({ cursor: first.nextCursor ?? '' }), { reason: 'bad_cursor' })
  })
})

describe('sending', () => {
  it('hands every mail over, and says so', async (t) => {
    const host = new MailHost()
    const { mine, note } = await open(t, await host.open(t))
    const count = 45
    await note(...Array.from({ length: count }, (_, index) => confirmedMail(confirmed(`o${index}`))))
    const sent = async () => (await mine.list({ limit: 100 })).items.filter(({ status }) => status === 'sent')
    await until('all are sent', async () => (await sent()).length === count)
    assert.equal(host.arrived.length, count)
    assert.equal(new Set(host.arrived).size, count)
    const [{ id, sentAt } = { id: '', sentAt: null }] = await sent()
    assert.ok(sentAt !== null)
    const text = host.texts.find((one) => one.includes(id)) ?? ''
    assert.match(text, /^To: ann@shop\.test\r$/m)
    assert.match(text, /^X-Template: confirmed\r$/im)
    assert.match(text, /^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r$/m)
    assert.match(text, /^X-Order-Id: o\d+\r$/im)
  })

  it('tries again what was refused for now, and gives up what was refused for good', async (t) => {
    const host = new MailHost()
    host.refusal = 451
    const { database, admin, mine, note } = await open(t, await host.open(t))
    await note(confirmedMail(confirmed('o1')))
    await until('it was refused', async () => {
      return (await database.ask('select from mail where last_error is not null')).length === 1
    })
    host.refusal = undefined
    await until('it is sent', async () => (await mine.list()).items[0]?.status === 'sent')
    host.refusal = 550
    await note(cancelledMail(owner('o1')))
    await until('it is given up', async () => (await admin.dead()).items.length === 1)
    const [dead] = (await admin.dead()).items
    assert.equal(dead?.attempts, 1)
    assert.match(dead?.error ?? '', /550/)
    host.refusal = undefined
    await admin.retry({ id: dead?.id ?? '' })
    await until(
      'it is sent too',
      async () => (await admin.dead()).items.length === 0 && host.arrived.length === 2,
    )
    await assert.rejects(admin.retry({ id: dead?.id ?? '' }), { reason: 'no_mail' })
    await assert.rejects(mine.dead(), { code: 'permission_denied' })
  })

  it('gives up an address that is none, without a word to the server', async (t) => {
    const host = new MailHost()
    const { admin, note } = await open(t, await host.open(t))
    await note({ ...cancelledMail(owner('o1')), recipient: '' })
    await until('it is given up', async () => (await admin.dead()).items.length === 1)
    assert.equal(host.arrived.length, 0)
  })

  it('goes out again under the same Message-ID when it was lost between the answer and the commit', async (t) => {
    const host = new MailHost()
    const requests = new OutsideRequests(new Metrics())
    const post = openPost(await host.open(t), 'shop@shop.test', {
      clock: systemClock,
      outsidePeer: (url) => requests.peer('notifications', new URL(url).host),
    })
    t.after(() => post.close())
    const { database, note } = await open(t)
    const session = database.open().session(testCall())
    await note(confirmedMail(confirmed('o1')))
    const [first] = await claimMails(session, 5, 60)
    assert.ok(first !== undefined)
    // Whoever claimed it goes away with the server's answer in hand.
    await post.send(first)
    await database.ask("update mail set due_at = now() - interval '1 second'")
    const [second] = await claimMails(session, 5, 60)
    assert.ok(second !== undefined)
    await post.send(second)
    assert.equal(await bookSent(session, second), true)
    assert.deepEqual(host.arrived, [`${first.id}@shop.test`, `${first.id}@shop.test`])
  })
})

describe('a claim', () => {
  it('is somebody’s alone while it lasts, and says nothing once it was taken over', async (t) => {
    const { database, note } = await open(t)
    const session = () => database.open().session(testCall())
    await note(confirmedMail(confirmed('o1')))
    const claims = await Promise.all([1, 2, 3].map(() => claimMails(session(), 5, 60)))
    const [mine] = claims.flat()
    assert.equal(claims.flat().length, 1)
    assert.ok(mine !== undefined)
    await database.ask("update mail set due_at = now() - interval '1 second'")
    const [theirs] = await claimMails(session(), 5, 60)
    assert.ok(theirs !== undefined)
    assert.equal(await bookSent(session(), mine), false)
    assert.equal(await bookFailure(session(), mine, { message: 'late', isFinal: true }), undefined)
    assert.equal(await bookSent(session(), theirs), true)
    assert.equal(await bookFailure(session(), theirs, { message: 'late', isFinal: true }), undefined)
    assert.deepEqual(await claimMails(session(), 5, 60), [])
  })

  it('is the last after so many attempts', async (t) => {
    const { database, note } = await open(t)
    const session = database.open().session(testCall())
    await note(confirmedMail(confirmed('o1')))
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      await database.ask("update mail set due_at = now() - interval '1 second'")
      const [mail] = await claimMails(session, 5, 60)
      assert.equal(mail?.attempts, attempt)
      if (mail === undefined) return
      const status = await bookFailure(session, mail, { message: 'no', isFinal: false })
      assert.equal(status, attempt === ATTEMPTS_MAX ? 'dead' : 'pending')
      const [row] = await database.ask<{ s: number }>(
        'select extract(epoch from due_at - now())::float8 as s from mail',
      )
      // The column has whole milliseconds, rounded.
      assert.ok((row?.s ?? 99) <= Math.min(60, 0.25 * 2 ** attempt) + 0.001)
    }
  })
})
