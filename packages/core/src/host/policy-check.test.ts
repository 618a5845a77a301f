import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { anyone } from '../contract/access.ts'
import { defineContract } from '../contract/contract.ts'
import { query } from '../contract/operation.ts'
import { lazyCheck, Nothing, Type } from '../contract/schema.ts'
import { defineService } from '../service/definition.ts'
import { checkPolicies, mistakesIn, type Policies, policyChecks } from './policy-check.ts'

const ask = query({ summary: 'Asks.', access: anyone, output: Nothing })
const contractOf = (name: string) =>
  defineContract({ name, version: 1, summary: 'Answers.', operations: { ask } })
const [desk, shelf, far] = [contractOf('desk'), contractOf('shelf'), contractOf('far')]
const handlers = { ask: () => ({}) }

/** Calls `shelf`, and takes a number of its own, which is not 13. */
const deskService = defineService({
  contract: desk,
  calls: [shelf],
  policies: {
    check: lazyCheck(Type.Integer()),
    mistakesIn: (value) => (value === 13 ? [': is unlucky'] : []),
  },
  open: () => handlers,
})
const shelfService = defineService({ contract: shelf, open: () => handlers })
const farService = defineService({ contract: far, open: () => handlers })

describe('policyChecks', () => {
  it('policyChecks is about the contracts of its services and of those they call; of others it knows the names', async () => {
    const checks = policyChecks(['desk', 'shelf', 'far'], [deskService])
    const mistakes = (policies: Policies, elsewhere?: ReadonlySet<string>) =>
      mistakesIn({ path: 'policies.yaml', policies, checks, elsewhere })
    const named = (service: string) => mistakes({ services: { [service]: { operations: { sing: {} } } } })
    for (const name of ['desk', 'shelf'])
      assert.deepEqual(await named(name), [`/services/${name}/operations/sing: there is no such operation`])
    assert.deepEqual(await named('far'), [])
    assert.deepEqual(await named('table'), ['/services/table: there is no such service'])
    assert.deepEqual(await mistakes({ desk: 13 }), ['/desk: is unlucky'])
    assert.deepEqual(await mistakes({ far: 1 }), ['/far: is not known; there are services, desk'])
    assert.deepEqual(await mistakes({ far: 1 }, new Set(['far'])), [])
  })
})

describe('checkPolicies', () => {
  it('checkPolicies finds what any of the processes would, and says why a file cannot be read', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'flotilla-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'policies.yaml')
    const check = (text: string) => {
      writeFileSync(path, text)
      return checkPolicies(path, [deskService, shelfService, farService])
    }
    assert.deepEqual(await check('desk: 1\nservices: { far: { operations: { ask: {} } } }'), {
      mistakes: [],
      policies: { desk: 1, services: { far: { operations: { ask: {} } } } },
    })
    assert.deepEqual(
      (await check('desk: 13\nshelf: 1\nservices: { far: { operations: { sing: {} } } }')).mistakes,
      [
        '/desk: is unlucky',
        '/shelf: is not known; there are services, desk',
        '/services/far/operations/sing: there is no such operation',
      ],
    )
    assert.equal((await check('desk: [')).mistakes.length, 1)
    rmSync(path)
    const gone = await checkPolicies(path, [deskService])
    assert.match(String(gone.mistakes), /ENOENT/)
    assert.deepEqual(gone.policies, {})
  })
})
