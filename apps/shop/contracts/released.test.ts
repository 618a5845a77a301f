/**
 * What the contracts were when they were last accepted, in `released/`: a change that breaks callers does not slip in.
 * Every other change has to be accepted too, so that it shows in review.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Change, compareContracts } from '@flotilla/core/compare'
import type { Contract } from '@flotilla/core/contract'
import { type ContractDescription, describeContract } from '@flotilla/core/describe'
import { Type } from '@flotilla/core/schema'
import { auth } from './auth.ts'
import { cart } from './cart.ts'
import { catalog } from './catalog.ts'
import { coupons } from './coupons.ts'
import { gateway } from './gateway.ts'
import { identity } from './identity.ts'
import { inventory } from './inventory.ts'
import { mailbox } from './mailbox.ts'
import { notifications } from './notifications.ts'
import { orders } from './orders.ts'
import { payments } from './payments.ts'
import { provider } from './provider.ts'
import { recommendations } from './recommendations.ts'
import { search } from './search.ts'
import { shipping } from './shipping.ts'

const contracts: readonly Contract[] = [
  auth,
  cart,
  catalog,
  coupons,
  gateway,
  identity,
  inventory,
  mailbox,
  notifications,
  orders,
  payments,
  provider,
  recommendations,
  search,
  shipping,
]

const folder = fileURLToPath(
  new URL('contracts/released/', import.meta.resolve('@flotilla/shop/package.json')),
)
const isUpdate = process.env['FLOTILLA_UPDATE'] === '1'

function toText(changes: readonly Change[]): string {
  return changes.map(({ path, what, why }) => `${path}: ${what} (${why})`).join('\n')
}

function released(name: string): ContractDescription {
  return JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8')) as ContractDescription
}

describe('released contracts', () => {
  for (const contract of contracts) {
    it(`${contract.name}: nothing that callers rely on is gone`, () => {
      const description = describeContract(contract)
      if (isUpdate) {
        writeFileSync(`${folder}${contract.name}.json`, `${JSON.stringify(description, undefined, 2)}\n`)
      }
      const changes = compareContracts(released(contract.name), description)
      const breaking = changes.filter(({ isBreaking }) => isBreaking)
      assert.equal(toText(breaking), '', 'callers break: raise the version, or change it another way')
      assert.equal(
        toText(changes),
        '',
        'compatible, but not accepted: FLOTILLA_UPDATE=1 npm test -- contracts/released',
      )
    })
  }

  it('knows every contract', () => {
    const names = readdirSync(folder).map((file) => file.replace(/\.json$/, ''))
    assert.deepEqual(names.toSorted(), contracts.map(({ name }) => name).toSorted())
  })

  it('would notice a new field that callers must send', () => {
    const { clear } = cart.operations
    const input = Type.Object({ why: Type.String() }, { additionalProperties: false })
    const stricter = { ...cart, operations: { ...cart.operations, clear: { ...clear, input } } }
    const changes = compareContracts(released('cart'), describeContract(stricter))
    assert.ok(
      changes.some(({ isBreaking, path }) => isBreaking && path.startsWith('/operations/clear/input')),
    )
  })
})
