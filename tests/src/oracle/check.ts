/**
 * The oracle: everything that must hold in the shop, checked.
 *
 * @module
 */
import { couponChecks } from './coupons.ts'
import { eventChecks } from './events.ts'
import { historyChecks } from './histories.ts'
import { leakChecks } from './leaks.ts'
import { moneyChecks } from './money.ts'
import { promiseChecks } from './promises.ts'
import type { Check, Line, Report } from './report.ts'
import { sagaChecks } from './sagas.ts'
import { stockChecks } from './stock.ts'
import { totalsChecks } from './totals.ts'
import { viewChecks } from './views.ts'
import type { World } from './world.ts'

/** All checks, in the order of their invariants. */
export const checks: readonly Check[] = [
  ...moneyChecks,
  ...stockChecks,
  ...historyChecks,
  ...totalsChecks,
  ...promiseChecks,
  ...eventChecks,
  ...sagaChecks,
  ...couponChecks,
  ...viewChecks,
  ...leakChecks,
].sort((a, b) => Number.parseInt(a.invariant, 10) - Number.parseInt(b.invariant, 10))

/** Checks everything: for a system that has settled. */
export function checkAll(world: World): Promise<Report> {
  return run(world, checks)
}

/** Checks some of the fifteen invariants, by their numbers. */
export function checkSome(world: World, invariants: readonly number[]): Promise<Report> {
  return run(
    world,
    checks.filter(({ invariant }) => invariants.includes(Number.parseInt(invariant, 10))),
  )
}

/** Checks what must hold at every instant. */
export function checkAlways(world: World): Promise<Report> {
  return run(
    world,
    checks.filter(({ holds }) => holds === 'always'),
  )
}

async function run(world: World, chosen: readonly Check[]): Promise<Report> {
  world.forget()
  const lines: Line[] = []
  // One after the other: the system may be at work, and the machine is small.
  for (const { invariant, says, look } of chosen) lines.push({ invariant, says, ...(await look(world)) })
  return { lines, isGood: lines.every(({ violations }) => violations.length === 0) }
}
