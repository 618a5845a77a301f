import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isoTime } from '../kernel/clock.ts'
import { FlotillaError } from '../kernel/error.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import { createLogger, type Logger, type LogLevel, logLevels } from './log.ts'
import { Redaction } from './redaction.ts'

function openLog(level: LogLevel = 'debug'): {
  log: Logger
  lines: Record<string, unknown>[]
  text: () => string
  redaction: Redaction
} {
  const written: string[] = []
  const lines: Record<string, unknown>[] = []
  const redaction = new Redaction()
  const log = createLogger({
    level,
    redaction,
    clock: new VirtualClock(1_700_000_000_000),
    fields: { service: 'orders', instance: 'i1' },
    destination: {
      write(line) {
        assert.ok(line.endsWith('\n') && !line.slice(0, -1).includes('\n'))
        written.push(line)
        lines.push(JSON.parse(line))
      },
    },
  })
  return { log, lines, redaction, text: () => written.join('') }
}

describe('createLogger', () => {
  it('createLogger writes one JSON object a line with time, level, message and all fields', () => {
    const { log, lines } = openLog()
    log.with({ requestId: 'r1' }).info('order placed', { orderId: 'o1' })
    assert.deepEqual(lines, [
      {
        level: 'info',
        timestamp: isoTime(1_700_000_000_000),
        service: 'orders',
        instance: 'i1',
        requestId: 'r1',
        orderId: 'o1',
        message: 'order placed',
      },
    ])
  })

  it('createLogger writes its level and what is worse', () => {
    for (const [index, level] of logLevels.entries()) {
      const { log, lines } = openLog(level)
      for (const each of logLevels) if (each !== 'silent') log[each](each)
      assert.deepEqual(
        lines.map((line) => line['level']),
        logLevels.slice(index, -1),
      )
    }
  })

  it('createLogger writes name, message, stack and causes of an error', () => {
    const { log, lines } = openLog()
    const error = new FlotillaError('internal', 'Broken.', { cause: new Error('disk full') })
    log.error('handler failed', { error })
    const written = lines[0]?.['error'] as Record<string, unknown>
    assert.equal(written['type'], 'FlotillaError')
    assert.match(String(written['message']), /^Broken\.: disk full$/)
    assert.match(String(written['stack']), /log\.test[\s\S]*caused by: Error: disk full/)
    assert.equal(written['code'], 'internal')
  })

  it('createLogger never writes a secret, in the fields of a line, of a logger or of an error, however deep', () => {
    const { log, text } = openLog()
    const secrets = { password: 's3cret', accessToken: 's3cret', authorization: 's3cret', apiKey: 's3cret' }
    log.info('flat', secrets)
    log.info('deeper', { body: secrets, request: { headers: secrets } })
    log.info('deep in lists', { all: [{ one: { more: [{ it: secrets }] } }] })
    log.with(secrets).info('of the logger')
    log.with({ body: secrets }).info('of the logger, deeper')
    log.error('of an error', { error: new FlotillaError('internal', 'Broken.', { data: secrets }) })
    assert.doesNotMatch(text(), /s3cret/)
    assert.match(text(), /"password":"\[redacted\]"/)
  })

  it('createLogger never writes what its redaction has learned, also after it was made', () => {
    const { log, text, lines, redaction } = openLog()
    const child = log.with({ shippingAddress: { city: 'Town' } })
    redaction.add(['shippingAddress', 'email'])
    const order = {
      id: 'o1',
      shippingAddress: { name: 'Ann', city: 'Village' },
      customer: { email: 'a@b.c' },
    }
    child.info('placed', { order, email: 'a@b.c' })
    child.error('failed', { error: new FlotillaError('internal', 'Broken.', { data: { order } }) })
    assert.deepEqual(lines[0]?.['order'], {
      id: 'o1',
      shippingAddress: '[redacted]',
      customer: { email: '[redacted]' },
    })
    assert.deepEqual(order.customer, { email: 'a@b.c' }, 'what is logged is not changed')
    assert.doesNotMatch(text(), /Ann|Village|a@b\.c/)
  })
})
