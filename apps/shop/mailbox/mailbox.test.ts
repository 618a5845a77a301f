import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { defineApp } from '@flotilla/core/app'
import type { Calls } from '@flotilla/core/calls'
import { findFreePort } from '@flotilla/core/free-port'
import { dumpSchema } from '@flotilla/core/schema-dump'
import { openTestApp } from '@flotilla/core/test-app'
import { testCall } from '@flotilla/core/test-call'
import type { TestDatabase } from '@flotilla/core/test-database'
import { createTransport } from 'nodemailer'
import { mailbox } from '../contracts/mailbox.ts'
import { mailboxService } from './service.ts'

/** The app's: built, this file lies in dist/mailbox. */
const FOLDER = join(import.meta.dirname, '../..')
const personOf = (id: string, role: string) => ({ id, roles: [role], scopes: [], tier: 'free' })
const mail = {
  messageId: '<m1@shop.test>',
  from: 'shop@shop.test',
  to: 'ann@shop.test',
  subject: 'Grüße',
  text: 'Total: 1.00 €',
  headers: { 'X-Order-Id': 'o1', 'X-Template': 'confirmed' },
}

interface Opened {
  readonly database: TestDatabase
  readonly admin: Calls<typeof mailbox>
  readonly foreign: Calls<typeof mailbox>
  send(mail: object): Promise<unknown>
}

async function open(t: TestContext): Promise<Opened> {
  const port = await findFreePort()
  const { call, databases } = await openTestApp(t, {
    app: defineApp({
      name: 'mailbox test',
      folder: FOLDER,
      services: { mailbox: async () => mailboxService },
    }),
    placement: 'one process',
    environment: { MAILBOX_PORT: `${port}` },
  })
  const transport = createTransport({ host: '127.0.0.1', port, pool: true })
  t.after(() => transport.close())
  return {
    database: databases.get('mailbox') as TestDatabase,
    admin: call(mailbox, { user: personOf('the-admin', 'admin') }),
    foreign: call(mailbox, { user: personOf('ann', 'customer') }),
    send: (one) => transport.sendMail(one),
  }
}

describe('the schema of mailbox', () => {
  it('is what schema.sql says', async (t) => {
    const { database } = await open(t)
    const path = join(FOLDER, 'mailbox/schema.sql')
    const dump = await dumpSchema(database.open().session(testCall()), ['public'])
    if (process.env['FLOTILLA_UPDATE'] === '1') await writeFile(path, dump)
    assert.equal(await readFile(path, 'utf8'), dump)
  })
})

describe('the mailbox', () => {
  it('keeps a mail once, counts how often it came, and shows it', async (t) => {
    const { admin, send } = await open(t)
    await Promise.all([send(mail), send(mail), send(mail)])
    const { items } = await admin.messages()
    assert.equal(items.length, 1)
    const { receivedAt: _, ...head } = items[0] ?? { receivedAt: '' }
    assert.deepEqual(head, {
      messageId: 'm1@shop.test',
      receipts: 3,
      sender: 'shop@shop.test',
      recipients: ['ann@shop.test'],
      subject: 'Grüße',
      orderId: 'o1',
      template: 'confirmed',
    })
    const shown = await admin.message({ messageId: 'm1@shop.test' })
    assert.equal(shown.text.trim(), 'Total: 1.00 €')
    await assert.rejects(admin.message({ messageId: 'nothing' }), { reason: 'no_message' })
  })

  it('lists mails by receiver and order, page by page, to admins', async (t) => {
    const { admin, foreign, send } = await open(t)
    for (let index = 0; index < 5; index++) {
      const to = index % 2 === 0 ? 'ann@shop.test' : 'ben@shop.test'
      await send({ ...mail, to, messageId: `<m${index}@shop.test>`, headers: { 'X-Order-Id': `o${index}` } })
    }
    const { items } = await admin.messages()
    assert.deepEqual(
      items.map(({ orderId }) => orderId),
      ['o4', 'o3', 'o2', 'o1', 'o0'],
    )
    const first = await admin.messages({ limit: 3 })
    const rest = await admin.messages({ limit: 3, cursor: first.nextCursor ?? '' })
    assert.deepEqual([...first.items, ...rest.items], items)
    assert.equal((await admin.messages({ to: 'ben@shop.test' })).items.length, 2)
    assert.equal((await admin.messages({ orderId: 'o3' })).items.length, 1)
    await assert.rejects(admin.messages({ to: 'x', cursor: first.nextCursor ?? '' }), {
      reason: 'bad_cursor',
    })
    await assert.rejects(foreign.messages(), { code: 'permission_denied' })
  })

  it('takes mails that say little about themselves', async (t) => {
    const { admin, send } = await open(t)
    const raw = `From: a@b.test\r\n\r\nNo name\u0000d.\r\n`
    const envelope = { from: 'a@b.test', to: ['ann@shop.test'] }
    await send({ envelope, raw })
    await send({ envelope, raw })
    const { items } = await admin.messages()
    assert.equal(items.length, 1)
    assert.equal(items[0]?.receipts, 2)
    assert.equal(items[0]?.orderId, null)
  })

  it('refuses what is too large for good, and what it cannot keep for now', async (t) => {
    const { admin, database, send } = await open(t)
    await assert.rejects(send({ ...mail, text: 'x'.repeat(1_100_000) }), { responseCode: 552 })
    await database.ask('alter table message rename to hidden')
    await assert.rejects(send(mail), { responseCode: 451 })
    await database.ask('alter table hidden rename to message')
    await send(mail)
    assert.equal((await admin.messages()).items.length, 1)
  })
})
