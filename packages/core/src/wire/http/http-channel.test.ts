import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { anyone } from '../../contract/access.ts'
import { defineContract } from '../../contract/contract.ts'
import { query } from '../../contract/operation.ts'
import { Type } from '../../contract/schema.ts'
import { systemClock } from '../../kernel/clock.ts'
import type { FlotillaError } from '../../kernel/error.ts'
import { TimerWheel } from '../../kernel/timer-wheel.ts'
import type { Channel } from '../wire.ts'
import { call, probeContract, requestOf, type TestContext } from '../wires.test.ts'
import { BODY_BYTES_MAX } from './bounded-text.ts'
import { openHttpChannel } from './http-channel.ts'

const { echo, follow } = probeContract.operations

/** A channel to a server that is none of ours. */
async function openStranger(
  t: TestContext,
  answer: (outgoing: ServerResponse, target: string) => void,
): Promise<Channel> {
  const server = createServer((incoming, outgoing) => answer(outgoing, incoming.url ?? ''))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const channel = await openHttpChannel({
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    clock: systemClock,
    wheel: new TimerWheel(systemClock),
  })
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await channel.close()
  })
  return channel
}

async function errorFrom(
  t: TestContext,
  answer: (outgoing: ServerResponse) => void,
): Promise<FlotillaError | undefined> {
  const channel = await openStranger(t, answer)
  return (await call(channel, requestOf(echo, {}))).error
}

async function streamErrorFrom(t: TestContext, text: string): Promise<unknown> {
  const channel = await openStranger(t, (outgoing) => void outgoing.end(text))
  try {
    for await (const _item of channel.stream(requestOf(follow, {})));
  } catch (error) {
    return error
  }
  return undefined
}

describe('openHttpChannel, to a stranger', () => {
  it("knows an error page's status", async (t) => {
    const error = await errorFrom(t, (outgoing) => {
      outgoing.writeHead(503, { 'retry-after': '2' }).end('<h1>Bad day</h1>')
    })
    assert.deepEqual([error?.code, error?.executed, error?.retryAfterMs], ['unavailable', 'maybe', 2_000])
  })

  it('asks for an operation at the path of its own version', async (t) => {
    const get = { summary: 'Gets.', access: anyone, output: Type.Object({ target: Type.String() }) }
    const { get: getV1, getV2 } = defineContract({
      name: 'things',
      version: 1,
      summary: 'Things.',
      operations: {
        get: query({ ...get, http: 'GET /things' }),
        getV2: query({ ...get, http: { route: 'GET /things', version: 2 } }),
      },
    }).operations
    const channel = await openStranger(t, (outgoing, target) => void outgoing.end(JSON.stringify({ target })))
    const asked = [getV1, getV2].map(
      async (operation) => (await call(channel, requestOf(operation, {}))).value,
    )
    assert.deepEqual(await Promise.all(asked), [{ target: '/api/v1/things' }, { target: '/api/v2/things' }])
  })

  it('takes an answer that is not JSON for a failure', async (t) => {
    assert.equal((await errorFrom(t, (outgoing) => void outgoing.end('hello')))?.code, 'unavailable')
  })

  it('takes no answer longer than 4 MiB, good or bad', async (t) => {
    for (const status of [200, 500]) {
      const error = await errorFrom(t, (outgoing) => {
        outgoing.writeHead(status).end(`"${'x'.repeat(BODY_BYTES_MAX)}"`)
      })
      assert.match(error?.message ?? '', /longer than/)
    }
  })

  it('takes a stream that just stops for broken, and no event longer than 4 MiB', async (t) => {
    const stopped = { code: 'unavailable', executed: 'maybe' }
    await assert.rejects(async () => Promise.reject(await streamErrorFrom(t, 'data: {}\n\n')), stopped)
    const endless = await streamErrorFrom(t, `data: ${'x'.repeat(BODY_BYTES_MAX)}`)
    assert.match((endless as FlotillaError).message, /does not end/)
  })
})
