/**
 * The first accounts: an administrator, and a customer to try things out with.
 *
 * @module
 */
import { isoTime } from '@flotilla/core/clock'
import { Metrics } from '@flotilla/core/metrics'
import type { Context } from '@flotilla/core/service'
import { accountByEmail, insertAccount } from './accounts.ts'
import { Passwords } from './passwords.ts'
import type { AuthSettings } from './settings.ts'

/** Opens those accounts that have a password in the settings and do not exist yet. */
export async function seedAccounts(
  ctx: Pick<Context, 'clock' | 'db' | 'newId' | 'random' | 'signal'>,
  { adminPassword, demoPassword }: Pick<AuthSettings, 'adminPassword' | 'demoPassword'>,
): Promise<void> {
  const wanted = [
    {
      email: 'admin@shop.test',
      name: 'Admin',
      roles: ['admin'],
      tier: 'enterprise',
      password: adminPassword,
    },
    { email: 'demo@shop.test', name: 'Demo', roles: ['customer'], tier: 'free', password: demoPassword },
  ]
  const passwords = new Passwords(ctx.random, new Metrics())
  for (const { password, ...who } of wanted) {
    if (password === undefined || (await accountByEmail(ctx.db, who.email)) !== undefined) continue
    const hash = await passwords.withPlace(ctx.signal, (hasher) => hasher.hash(password))
    await insertAccount(ctx.db, { ...who, id: ctx.newId(), createdAt: isoTime(ctx.clock.now()) }, hash)
  }
}
