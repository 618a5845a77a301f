import assert from 'node:assert/strict'
import { request } from 'node:http'
import { describe, it } from 'node:test'
import { anyone } from '../../contract/access.ts'
import { defineContract, operationsOf } from '../../contract/contract.ts'
import { command } from '../../contract/operation.ts'
import { Type } from '../../contract/schema.ts'
import { anonymous, type Caller } from '../../kernel/caller.ts'
import { systemClock } from '../../kernel/clock.ts'
import { createIds } from '../../kernel/ids.ts'
import { systemRandom } from '../../kernel/random.ts'
import { TimerWheel } from '../../kernel/timer-wheel.ts'
import { type CallRequest, type Receiver, Reply } from '../wire.ts'
import { call, requestOf, type TestContext } from '../wires.test.ts'
import { openHttpChannel } from './http-channel.ts'
import { openHttpServer } from './http-server.ts'

const waiter = defineContract({
  name: 'waiter',
  version: 1,
  summary: 'Waits.',
  operations: {
    order: command({
      summary: 'May take a while.',
      access: anyone,
      idempotency: 'none',
      http: {
        route: 'POST /orders',
        status: 201,
        prefer: 'waitS',
        acceptedWhile: { field: 'status', value: 'pending' },
      },
      input: Type.Object({
        dish: Type.String(),
        waitS: Type.Optional(Type.Integer({ minimum: 0, maximum: 30 })),
      }),
      output: Type.Object({ status: Type.String() }),
    }),
  },
})

/** A server whose orders are done when they are waited for. */
async function openWaiter(
  t: TestContext,
  caller: Caller = anonymous,
): Promise<{ port: number; requests: CallRequest[] }> {
  const requests: CallRequest[] = []
  const receiver: Receiver = {
    operations: operationsOf(waiter),
    call(request, settle) {
      requests.push(request)
      const { waitS = 0 } = request.input as { waitS?: number }
      settle(Reply.of({ status: waitS > 0 ? 'done' : 'pending' }, systemClock.monotonicMs()))
    },
    stream: () => assert.fail('no streams here'),
  }
  const server = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    ports: { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) },
    receiver,
    authenticate: () => caller,
  })
  t.after(() => server.close())
  return { port: server.port, requests }
}

/** Status and `Preference-Applied` of an order with these `Prefer` fields. */
function order(port: number, prefer: string[], dish = '{"dish":"soup"}'): Promise<readonly unknown[]> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { port, host: '127.0.0.1', method: 'POST', path: '/api/v1/orders' },
      (incoming) => {
        incoming.resume()
        resolve([incoming.statusCode, incoming.headers['preference-applied']])
      },
    )
    if (prefer.length > 0) outgoing.setHeader('prefer', prefer)
    outgoing.on('error', reject).end(dish)
  })
}

describe('the HTTP face', () => {
  it('the HTTP face waits as Prefer asks, says so, and says 202 of what has not ended', async (t) => {
    const { port } = await openWaiter(t)
    assert.deepEqual(await order(port, []), [202, undefined])
    assert.deepEqual(await order(port, ['wait=0']), [202, 'wait=0'])
    assert.deepEqual(await order(port, ['wait=10']), [201, 'wait=10'])
    assert.deepEqual(await order(port, ['respond-async', 'wait=40', 'wait=5']), [201, 'wait=30'])
    assert.deepEqual(await order(port, ['wait=long']), [202, undefined])
    assert.deepEqual(await order(port, ['wait=1'], '{"dish":"soup","waitS":2}'), [400, undefined])
  })

  it('the HTTP face gets the wait of a channel, and the channel both answers', async (t) => {
    const { port, requests } = await openWaiter(t)
    const channel = await openHttpChannel({
      origin: `http://127.0.0.1:${port}`,
      clock: systemClock,
      wheel: new TimerWheel(systemClock),
    })
    t.after(() => channel.close())
    const inputs = [{ dish: 'soup' }, { dish: 'soup', waitS: 30 }]
    const replies = await Promise.all(
      inputs.map((input) => call(channel, requestOf(waiter.operations.order, input))),
    )
    assert.deepEqual(
      replies.map(({ output }) => output),
      [{ status: 'pending' }, { status: 'done' }],
    )
    assert.deepEqual(
      requests.map(({ input }) => input).toSorted((one) => ('waitS' in (one as object) ? 1 : -1)),
      inputs,
    )
  })

  it('the HTTP face lets services say how much a call matters, and others only lower what the contract says', async (t) => {
    const seen = async (caller: Caller): Promise<readonly unknown[]> => {
      const { port, requests } = await openWaiter(t, caller)
      for (const criticality of ['critical_plus', 'sheddable', 'most_of_all']) {
        const init = {
          method: 'POST',
          body: '{"dish":"soup"}',
          headers: { 'x-flotilla-criticality': criticality },
        }
        assert.equal((await fetch(`http://127.0.0.1:${port}/api/v1/orders`, init)).status, 202)
      }
      return requests.map(({ criticality }) => criticality)
    }
    assert.deepEqual(await seen(anonymous), ['critical', 'sheddable', 'critical'])
    assert.deepEqual(await seen({ service: 'cart' }), ['critical_plus', 'sheddable', 'critical'])
  })
})
