/**
 * Comparing our books with the provider's.
 *
 * The provider's ledger is read on from where the last turn stopped, and kept; then captures and refunds that are the same on both
 * sides are ticked off. What is left over is a difference: we have it and they do not, they have it and we do not, or the
 * amounts are not the same. Each side is only held to what it must know: we may be a while behind the provider (`graceMs`), but the
 * provider never behind us. So a turn costs what is new, however long the books are.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import type { Context } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import type { Reconciliation } from '../contracts/payments.ts'
import { isUnknown, type LedgerRow, type ProviderClient } from './provider-client.ts'

const PAGE_COUNT = 500
/** More is for the next turn. */
const PAGES_MAX = 100
const DIFFERENCES_SHOWN_MAX = 100

/** What comparing takes. */
export interface ReconcileOptions {
  readonly provider: ProviderClient
  readonly timeoutMs: number
  /** How long the provider may know of something before us. */
  readonly graceMs: number
}

/** @throws FlotillaError `unavailable` when the provider does not show its ledger. */
export async function reconcile(ctx: Context, options: ReconcileOptions): Promise<Reconciliation> {
  const { startedAt } = await ctx.db.one<{ startedAt: string }>(sql`select now()::text as "startedAt"`)
  for (let page = 0; page < PAGES_MAX; page++) {
    if (!(await readPage(ctx, options))) break
  }
  await ctx.db.transaction(async (tx) => {
    // One comparison at a time.
    await tx.execute(sql`select from reconciliation for update`)
    const ticked = await tickOff(tx)
    const differences = await findDifferences(tx, startedAt, options.graceMs)
    await tx.execute(sql`
      update reconciliation set at = now(), matched = matched + ${ticked}, differences_total = ${differences.length},
        differences = ${sql.json(differences.slice(0, DIFFERENCES_SHOWN_MAX))}`)
    if (differences.length > 0) {
      const [first] = differences
      ctx.log.error('our books and the provider’s differ', { count: differences.length, first })
    }
  })
  return lastReconciliation(ctx)
}

/** What the last comparison found. */
export function lastReconciliation({ db }: Pick<Context, 'db'>): Promise<Reconciliation> {
  return db.one<Reconciliation>(sql`
    select at, position, matched, differences_total as "differencesTotal", differences from reconciliation`)
}

/** False when there was nothing new. */
async function readPage(ctx: Context, { provider, timeoutMs }: ReconcileOptions): Promise<boolean> {
  const { position } = await ctx.db.one<{ position: number }>(sql`select position from reconciliation`)
  const rows = await provider.ledger(position, PAGE_COUNT, { timeoutMs, trace: ctx.trace })
  if (isUnknown(rows)) throw new FlotillaError('unavailable', 'The provider does not show its ledger.')
  const last = rows.at(-1)
  if (last === undefined) return false
  await ctx.db.transaction(async (tx) => {
    const isNext = await tx.execute(sql`
      update reconciliation set position = ${last.position} where position = ${position}`)
    // Otherwise another instance has read this page meanwhile.
    if (isNext === 1) await keep(tx, rows)
  })
  return true
}

async function keep(tx: Transaction, rows: readonly LedgerRow[]): Promise<void> {
  const moved = rows.filter(({ kind }) => kind === 'capture' || kind === 'refund')
  if (moved.length === 0) return
  await tx.execute(sql`
    insert into provider_entry (position, attempt_id, reference, kind, amount, currency)
    select * from unnest(
      ${moved.map(({ position }) => position)}::bigint[], ${moved.map((row) => row.chargeReference)}::text[],
      ${moved.map(({ reference }) => reference)}::text[], ${moved.map(({ kind }) => kind)}::text[],
      ${moved.map(({ amount }) => amount)}::bigint[], ${moved.map(({ currency }) => currency)}::text[])`)
}

/** Ticks off what is the same on both sides, one for one; gives how many. */
function tickOff(tx: Transaction): Promise<number> {
  return tx.execute(sql`
    with pair as (
      select o.id, min(p.position) as position
      from operation o join attempt a on a.id = o.attempt_id
        join provider_entry p on p.reference = o.id and p.kind = o.kind and p.amount = o.amount
          and p.currency = a.currency and not is_matched
      where o.kind in ('capture', 'refund') and o.state = 'done' and provider_position is null
      group by o.id
    ), ticked as (
      update operation o set provider_position = position from pair where pair.id = o.id
    )
    update provider_entry p set is_matched = true from pair where p.position = pair.position`)
}

/** What is not ticked off on either side, and should be. */
function findDifferences(
  tx: Transaction,
  startedAt: string,
  graceMs: number,
): Promise<Reconciliation['differences']> {
  return tx.many(sql`
    with ours as (
      select o.id as reference, o.kind, o.amount, a.currency
      from operation o join attempt a on a.id = o.attempt_id
      where o.kind in ('capture', 'refund') and o.state = 'done' and provider_position is null
        and settled_at <= ${startedAt}::timestamptz
    ), theirs as (
      select reference, kind, amount, currency, read_at from provider_entry where not is_matched
    )
    select
      case when theirs.reference is null then 'missing_there' when ours.reference is null then 'missing_here'
        else 'differs' end as kind,
      coalesce(ours.reference, theirs.reference) as reference,
      coalesce(ours.kind, theirs.kind) as movement,
      case when ours.reference is not null
        then json_build_object('amount', ours.amount, 'currency', ours.currency) end as ours,
      case when theirs.reference is not null
        then json_build_object('amount', theirs.amount, 'currency', theirs.currency) end as theirs
    from ours full join theirs on ours.reference = theirs.reference
    where ours.reference is not null or read_at <= now() - ${graceMs} * interval '1 millisecond'
    order by 2`)
}
