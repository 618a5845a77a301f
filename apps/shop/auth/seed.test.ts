import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seedAccounts } from './seed.ts'
import { openTestAuth, testContext } from './testing.test.ts'

const ADMIN = { email: 'admin@shop.test', password: 'keys to the kingdom' }
const DEMO = { email: 'demo@shop.test', password: 'try before you buy' }

describe('seedAccounts', () => {
  it('opens an administrator and a customer, by the passwords in the settings', async (t) => {
    const { anyone, as } = await openTestAuth(t, {
      environment: { AUTH_ADMIN_PASSWORD: ADMIN.password, AUTH_DEMO_PASSWORD: DEMO.password },
    })
    assert.deepEqual((await anyone.login(ADMIN)).user.roles, ['admin'])
    const demo = await anyone.login(DEMO)
    assert.deepEqual(demo.user.roles, ['customer'])
    assert.equal((await as(demo.user).me({})).tier, 'free')
  })

  it('does nothing without a password, and nothing when run again', async (t) => {
    const { database } = await openTestAuth(t)
    const accounts = () => database.ask('select * from account')
    const ctx = testContext(database)
    await seedAccounts(ctx(), {})
    assert.deepEqual(await accounts(), [])
    await seedAccounts(ctx(), { demoPassword: DEMO.password })
    const first = await accounts()
    assert.equal(first.length, 1)
    await seedAccounts(ctx(), { demoPassword: 'another one, much later' })
    assert.deepEqual(await accounts(), first)
  })
})
