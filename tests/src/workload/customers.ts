/**
 * The customers of a workload: accounts that many sessions share one after the other, because making one is meant to be slow.
 *
 * @module
 */
import type { Random } from '@flotilla/core/random'
import { SECRET_MARK } from '../oracle/leaks.ts'
import type { Asker, Careful, Question, Reply } from './careful.ts'
import type { Journal } from './journal.ts'

/** Somebody with an account. */
export interface Member extends Asker {
  readonly userId: string
  readonly email: string
  readonly password: string
  /** Of the last login; it is good for fifteen minutes. */
  token: string
}

/** Somebody who buys. */
export interface Customer extends Member {
  /** A word in the customer's name and address, which nobody else may see. */
  readonly canary: string
}

/** Hexadecimal digits by chance. */
export function hexOf(random: Random, digits: number): string {
  let text = ''
  while (text.length < digits) text += random.uint32().toString(16).padStart(8, '0')
  return text.slice(0, digits)
}

/** Opens an account; one that exists already by an answer that got lost is logged into. */
export async function openAccount(careful: Careful, journal: Journal, random: Random): Promise<Customer> {
  const canary = `canary${hexOf(random, 16)}`
  const email = `${hexOf(random, 12)}@soak.test`
  const password = `the ${SECRET_MARK} ${hexOf(random, 16)}`
  journal.planted.secrets.add(password)
  const body = { email, password, name: `Somebody ${canary}` }
  const opened = await careful.ask(random, { intent: 'register', path: '/auth/register', body })
  const { user, accessToken } =
    opened.status === 201 ? opened.body : await logIn(careful, random, { email, password })
  journal.planted.ownerOf.set(canary, user.id)
  return { userId: user.id, email, password, token: accessToken, canary }
}

/** As `careful.ask`; whose token is over logs in again. @throws Error when the new one is not taken either. */
export async function askAs(
  member: Member,
  careful: Careful,
  random: Random,
  question: Question,
): Promise<Reply> {
  const reply = await careful.ask(random, question, member)
  if (reply.status !== 401) return reply
  member.token = (await logIn(careful, random, member)).accessToken
  const again = await careful.ask(random, question, member)
  if (again.status === 401) throw new Error(`${member.email} is not known right after a login.`)
  return again
}

/** Logs in; what it shows is for `userId`, where that is known. @throws Error when it is refused. */
export async function logIn(
  careful: Careful,
  random: Random,
  body: { readonly email: string; readonly password: string; readonly userId?: string },
): Promise<{ readonly user: { readonly id: string }; readonly accessToken: string }> {
  const { email, password, userId } = body
  const question: Question = { intent: 'login', path: '/auth/login', body: { email, password } }
  const reply = await careful.ask(random, question, userId === undefined ? {} : { userId })
  if (reply.status !== 200)
    throw new Error(`${email} cannot log in: ${reply.status} ${JSON.stringify(reply.body)}`)
  return reply.body
}
