/** Access tokens after their session: every gateway refuses them within five seconds, and those of no other session. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findFreePort } from '@flotilla/core/free-port'
import { openTestApp, type TestApp, testPlacements } from '@flotilla/core/test-app'
import { until } from '@flotilla/core/until'
import { app } from './app.ts'
import type { Session } from './contracts/account.ts'
import { auth } from './contracts/auth.ts'

const PASSWORD = 'seven otters juggling'
const EMAIL = 'ann@example.org'
/** What is promised. */
const BOUND_MS = 5_000

interface Shop {
  readonly opened: TestApp
  login(): Promise<Session>
  /** The statuses that the gateways give. */
  ask(session: Session): Promise<readonly number[]>
  post(path: string, session: Session, body?: unknown): Promise<unknown>
  isOver(session: Session): Promise<void>
}

async function openShop(
  t: { after(cleanUp: () => Promise<void>): void },
  placement: (typeof testPlacements)[number],
): Promise<Shop> {
  // A second gateway finds the others by the registry, which is there on sockets only.
  const ports = [await findFreePort(), ...(placement === 'frames' ? [await findFreePort()] : [])]
  const [first, ...others] = ports.map((port) => ({ GATEWAY_PORT: String(port) }))
  const opened = await openTestApp(t, {
    app,
    placement,
    services: ['registry', 'auth', 'gateway'],
    environment: {
      ...first,
      AUTH_SEALING_KEY: 'a sealing key for the tests',
      GATEWAY_ACCESS_LOG: '/dev/null',
      GATEWAY_ADDRESS_PER_MINUTE: '100000',
      GATEWAY_FREE_PER_MINUTE: '100000',
    },
    more: others.map((environment) => ({ service: 'gateway', environment })),
  })
  const send = (port: number | undefined, path: string, { accessToken }: Session, body?: unknown) =>
    fetch(`http://127.0.0.1:${port}/api/v1/auth/${path}`, {
      headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    })
  const ask: Shop['ask'] = (session) =>
    Promise.all(
      ports.map(async (port) => {
        const answer = await send(port, 'me', session)
        await answer.arrayBuffer()
        return answer.status
      }),
    )
  return {
    opened,
    login: () => opened.call(auth).login({ email: EMAIL, password: PASSWORD }),
    ask,
    async post(path, session, body = {}) {
      const answer = await send(ports[0], path, session, body)
      assert.ok(answer.ok, `${path}: ${answer.status}`)
      return answer.status === 204 ? undefined : answer.json()
    },
    isOver: (session) =>
      until(
        'every gateway refuses the token',
        async () => (await ask(session)).every((status) => status === 401),
        BOUND_MS,
      ),
  }
}

describe('an access token', () => {
  for (const placement of testPlacements) {
    it(`is refused by every gateway soon after its session ended, ${placement}`, async (t) => {
      const shop = await openShop(t, placement)
      const { opened, ask, login, post, isOver } = shop
      const first = await opened.call(auth).register({ email: EMAIL, password: PASSWORD, name: 'Ann' })
      const [second, third, ben] = [
        await login(),
        await login(),
        await opened.call(auth).register({ email: 'ben@example.org', password: PASSWORD, name: 'Ben' }),
      ]
      const areGood = async (...sessions: readonly Session[]) => {
        for (const session of sessions) assert.ok((await ask(session)).every((status) => status === 200))
      }
      await areGood(first, second, third, ben)

      await post('logout', first, { refreshToken: first.refreshToken })
      await isOver(first)
      await areGood(second, third, ben)

      const changed = await post('password', second, {
        currentPassword: PASSWORD,
        newPassword: 'nine herons whistling',
      })
      await isOver(second)
      await isOver(third)
      await areGood(changed as Session, ben)

      await post('logout-everywhere', changed as Session)
      await isOver(changed as Session)

      const admin = { id: 'the-admin', roles: ['admin'], scopes: [], tier: 'free' }
      await opened.call(auth, { user: admin }).blockUser({ id: ben.user.id })
      await isOver(ben)
    })
  }
})
