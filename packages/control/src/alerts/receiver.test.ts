import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { findFreePort } from '@flotilla/core/free-port'
import { createHttpClient } from '@flotilla/core/http-client'
import { SMTPServer } from 'smtp-server'
import type { Alert } from './alert.ts'
import { messageOf } from './message.ts'
import { openReceiver } from './receiver.ts'

const alert: Alert = {
  fingerprint: 'f',
  rule: 'full',
  severity: 'critical',
  labels: { queue: 'in' },
  summary: 'in holds 12 µg',
  value: 12,
  state: 'firing',
  sinceMs: 1_700_000_000_000,
  heldMs: 1_700_000_000_000,
}
const over: Alert = {
  ...alert,
  fingerprint: 'g',
  state: 'resolved',
  summary: 'out',
  untilMs: 1_700_000_060_000,
}

describe('openReceiver', () => {
  it('sends a mail that says what fires and what is over; each attempt has the same name', async (t) => {
    const port = await findFreePort()
    const mails: { to: string[]; text: string }[] = []
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      disableReverseLookup: true,
      logger: false,
      onData(stream, { envelope }, done) {
        let text = ''
        stream.on('data', (part) => {
          text += part
        })
        stream.on('end', () => {
          mails.push({ to: envelope.rcptTo.map(({ address }) => address), text })
          done()
        })
      },
    })
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    const http = createHttpClient(systemClock)
    t.after(async () => {
      await http.close()
      await new Promise<void>((resolve) => server.close(resolve))
    })
    const mail = { smtp: `smtp://127.0.0.1:${port}`, from: 'a@x.test', to: ['b@x.test', 'c@x.test'] }
    const receiver = openReceiver({ mail }, http)
    const parts = { receiver: 'people', rule: 'full', alerts: [alert, over], left: 3, consoleUrl: 'http://c' }
    await receiver.send(messageOf(parts), 'one')
    await receiver.send(messageOf(parts), 'one')
    await receiver.send(messageOf({ ...parts, alerts: [over], left: 0 }), 'two')
    assert.deepEqual(mails[0]?.to, ['b@x.test', 'c@x.test'])
    const [first, again, last] = mails.map(({ text }) => text.replace(/=\r\n/g, ''))
    assert.match(first ?? '', /^Subject: \[critical: 1 firing\] full/m)
    for (const line of [
      '- in holds 12',
      'since 2023-11-14T22:13:20.000Z',
      'Resolved:',
      'And 3 more.',
      'http://c/alerts',
    ])
      assert.ok(first?.includes(line), `${line} in ${first}`)
    const id = /^Message-ID: .*/im
    assert.equal(first?.match(id)?.[0], again?.match(id)?.[0])
    assert.notEqual(first?.match(id)?.[0], last?.match(id)?.[0])
    assert.match(last ?? '', /^Subject: \[resolved\] full/m)
    await assert.rejects(
      openReceiver({ mail: { ...mail, smtp: `smtp://127.0.0.1:${await findFreePort()}` } }, http).send(
        messageOf(parts),
        'three',
      ),
      /ECONNREFUSED/,
    )
  })
})
