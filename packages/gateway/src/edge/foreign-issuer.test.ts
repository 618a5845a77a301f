import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PARTNER, sharedGateway } from './open-gateway.test.ts'

describe('The edge', () => {
  const gateway = sharedGateway()

  const bearer = async (id: string, roles: readonly string[], issuer?: string) => ({
    headers: { authorization: `Bearer ${await gateway().token(id, { roles }, issuer)}` },
  })

  it('takes users of a foreign issuer for somebody else than ours of the same id', async () => {
    const { ask } = gateway()
    const theirs = await ask('/api/v1/me', await bearer('u1', ['user', 'admin'], PARTNER))
    assert.deepEqual(theirs.body['user'], { id: 'partner|u1', roles: [], scopes: [], tier: 'premium' })
    const ours = await ask('/api/v1/me', await bearer('u1', ['user']))
    assert.deepEqual(ours.body['user'], { id: 'u1', roles: ['user'], scopes: [], tier: 'free' })
    assert.equal((await ask('/api/v1/me', await bearer('partner|u1', ['user']))).status, 401)
  })

  it('lets them do what their roles mean here, and no more', async () => {
    const { ask } = gateway()
    const remove = async (roles: readonly string[]) =>
      (await ask('/api/v1/things/t1', { method: 'DELETE', ...(await bearer('u1', roles, PARTNER)) })).status
    assert.equal(await remove(['admin']), 403)
    assert.equal(await remove(['chief']), 204)
  })

  it('says nothing of why a token is refused', async () => {
    const { ask } = gateway()
    const { status, body } = await ask('/api/v1/me', await bearer('u1', ['user'], 'https://evil.test'))
    assert.equal(status, 401)
    assert.equal(body['detail'], 'The access token is not valid.')
    assert.doesNotMatch(JSON.stringify(body), /issuer|evil/)
  })
})
