import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { anyone } from '../contract/access.ts'
import { defineContract } from '../contract/contract.ts'
import { command } from '../contract/operation.ts'
import { Nothing, Type } from '../contract/schema.ts'
import { personal, secret } from '../contract/sensitive.ts'
import { systemClock } from '../kernel/clock.ts'
import { createIds } from '../kernel/ids.ts'
import { systemRandom } from '../kernel/random.ts'
import { defineService } from '../service/definition.ts'
import { createLogger } from '../telemetry/log.ts'
import { Redaction } from '../telemetry/redaction.ts'
import { createKeyPair, Signer } from '../wire/credentials.ts'
import { defineApp } from './app.ts'
import { openHost } from './host.ts'
import { readHostSettings } from './settings.ts'

const input = Type.Object({
  pin: Type.String(secret),
  home: Type.Object({ street: Type.String() }, personal),
})
const door = defineContract({
  name: 'door',
  version: 1,
  summary: 'A door.',
  operations: {
    open: command({ summary: 'Opens.', access: anyone, idempotency: 'none', input, output: Nothing }),
  },
})

describe('Logs of a host', () => {
  it('have the trace, the span and the request of each line, and nothing that a contract marks', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'flotilla-'))
    const { publicKey, privateKey } = createKeyPair()
    const claims = { instance: 'door-1', services: ['door'], expiresAt: systemClock.now() + 60_000 }
    const written: string[] = []
    const redaction = new Redaction()
    const destination = { write: (line: string): void => void written.push(line) }
    const service = defineService({
      contract: door,
      open: () => ({
        open(asked, ctx) {
          ctx.log.info('asked', { asked, pin: asked.pin })
          throw new Error('stuck')
        },
      }),
    })
    const host = await openHost({
      app: defineApp({ name: 'test', folder: '.', services: { door: async () => service } }),
      settings: readHostSettings({
        FLOTILLA_SERVICES: 'door',
        FLOTILLA_INSTANCE: 'door-1',
        FLOTILLA_FRAMES: `unix:${join(folder, 'door.sock')}`,
        FLOTILLA_PROCESS_KEY: publicKey,
        FLOTILLA_USER_KEY: publicKey,
        FLOTILLA_CREDENTIAL: new Signer(privateKey).process(claims),
        FLOTILLA_DRAIN_DELAY_MS: '0',
      }),
      environment: {},
      ports: { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) },
      log: createLogger({ level: 'info', clock: systemClock, redaction, fields: {}, destination }),
      redaction,
    })
    t.after(async () => {
      await host.close()
      rmSync(folder, { recursive: true, force: true })
    })
    const traceId = 'a'.repeat(32)
    await fetch(`${host.http}/operations/door.open`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', traceparent: `00-${traceId}-${'b'.repeat(16)}-00` },
      body: JSON.stringify({ pin: 's3cret', home: { street: 'Elm Street' } }),
    })
    const lines = written.map((line) => JSON.parse(line) as Record<string, unknown>)
    const own = lines.filter(({ message }) => message === 'asked' || message === 'door.open failed')
    assert.equal(own.length, 2)
    const [span] = host.spans.ofTrace(traceId)
    for (const line of own) {
      const { service: name, trace_id, span_id, request_id } = line
      assert.deepEqual([name, trace_id, span_id, request_id], ['door', traceId, span?.spanId, traceId])
    }
    assert.deepEqual(own[0]?.['asked'], { pin: '[redacted]', home: '[redacted]' })
    assert.doesNotMatch(written.join(''), /s3cret|Elm Street/)
  })
})
