/**
 * 8: sums are exact, to the cent, wherever they are shown.
 *
 * @module
 */
import { sql } from '@flotilla/core/sql'
import { type Amount, type OrderSeen, refundedOf, seeOrders } from './orders.ts'
import { type Check, Finding, type Found } from './report.ts'
import type { World } from './world.ts'

const EXACT = '8 Totals are exact'

/** The checks. */
export const totalsChecks: readonly Check[] = [
  {
    invariant: EXACT,
    says: 'the lines, discount and shipping of every order add up to its total; refunds are at most that',
    holds: 'always',
    look: async (world) => {
      const finding = new Finding()
      for (const order of (await seeOrders(world)).values()) {
        const wrong = wrongSums(order)
        finding.expect(wrong.length === 0, order.id, () => wrong.join('; '))
      }
      return finding
    },
  },
  {
    invariant: EXACT,
    says: "each line's price is one that the product has had in the catalog",
    holds: 'settled',
    look: pricesWereReal,
  },
  { invariant: EXACT, says: 'mails tell the same sums', holds: 'settled', look: mails },
]

function wrongSums(order: OrderSeen): readonly string[] {
  const wrong: string[] = []
  const { lines, totals } = order.placed
  const { currency } = totals.total
  const amounts: Amount[] = [
    ...Object.values(totals),
    ...lines.flatMap(({ unitPrice, lineTotal, discount, tax }) => [unitPrice, lineTotal, discount, tax]),
  ]
  for (const one of amounts) {
    const isMoney = Number.isSafeInteger(one.amount) && one.amount >= 0 && one.currency === currency
    if (!isMoney) wrong.push(`${one.amount} ${one.currency} is no amount of ${currency}`)
  }
  const require = (what: string, is: number, should: number): void => {
    if (is !== should) wrong.push(`${what} is ${is} and should be ${should}`)
  }
  for (const { sku, quantity, unitPrice, lineTotal, discount, tax } of lines) {
    require(`the total of ${sku}`, lineTotal.amount, unitPrice.amount * quantity)
    if (discount.amount > lineTotal.amount) wrong.push(`more than all off ${sku}`)
    if (tax.amount > lineTotal.amount - discount.amount) wrong.push(`${sku} is nothing but tax`)
  }
  const sum = (of: 'lineTotal' | 'discount' | 'tax'): number =>
    lines.reduce((all, line) => all + line[of].amount, 0)
  const { subtotal, discount, shipping, shippingTax, tax, total } = totals
  require('the subtotal', subtotal.amount, sum('lineTotal'))
  require('the discount', discount.amount, sum('discount'))
  require('the tax', tax.amount, sum('tax') + shippingTax.amount)
  require('the total', total.amount, subtotal.amount - discount.amount + shipping.amount)
  const begun = [...order.refunds.values()].filter(({ status }) => status !== 'failed')
  const refunds = begun.reduce((all, { amount }) => all + amount, 0)
  if (refunds > total.amount) wrong.push(`refunds of ${refunds} for ${total.amount}`)
  return wrong
}

async function pricesWereReal(world: World): Promise<Found> {
  const finding = new Finding()
  const rows = await world.rows<{ sku: string; price: number }>(
    'events',
    sql`
      select distinct data -> 'content' ->> 'sku' as sku, (data -> 'content' -> 'price' ->> 'amount')::bigint as price
      from event where type = 'catalog.productChanged' and data ->> 'content' is not null`,
  )
  const known = new Set(rows.map(({ sku, price }) => `${sku} ${price}`))
  for (const { id, placed } of (await seeOrders(world)).values()) {
    for (const { sku, unitPrice } of placed.lines) {
      finding.expect(
        known.has(`${sku} ${unitPrice.amount}`),
        [id, sku],
        () => `it never cost ${unitPrice.amount}`,
      )
    }
  }
  return finding
}

async function mails(world: World): Promise<Found> {
  const finding = new Finding()
  const orders = await seeOrders(world)
  const rows = await world.rows<{ id: string; template: string; body: string }>(
    'mailbox',
    sql`select order_id as id, template, body from message where template in ('confirmed', 'refunded')`,
  )
  const refunded = new Map<string, number>()
  for (const { id, template, body } of rows) {
    const pattern = template === 'confirmed' ? /^Total: (\S+) (\w+)/m : /refunded (\S+) (\w+) to/
    const [, figure = '', currency = ''] = pattern.exec(body) ?? []
    const amount = Number(figure.replace('.', ''))
    const order = orders.get(id)
    const total = order?.placed.totals.total
    finding.expect(
      figure !== '' && total?.currency === currency,
      id,
      () => `a mail that tells ${figure} ${currency}`,
    )
    if (template === 'refunded') refunded.set(id, (refunded.get(id) ?? 0) + amount)
    else
      finding.expect(amount === total?.amount, id, () => `a mail tells ${amount}, the order ${total?.amount}`)
  }
  for (const [id, amount] of refunded) {
    const order = orders.get(id)
    const done = order === undefined ? 0 : refundedOf(order)
    finding.expect(amount === done, id, () => `mails tell of refunds of ${amount}, the order of ${done}`)
  }
  return finding
}
