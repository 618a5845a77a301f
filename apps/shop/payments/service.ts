/**
 * The shop's payments.
 *
 * A command writes down what is wanted, asks the provider for as long as the caller can wait, and answers how the attempt then
 * stands. It commits in two steps, one before and one after the provider is asked, so it does not go through `ctx.commit`, whose
 * value would have to be the answer; its repeats are safe by the names of attempts and refunds.
 *
 * @module
 */
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import type { HttpClient } from '@flotilla/core/http-client'
import type { Metrics } from '@flotilla/core/metrics'
import { type Context, defineService } from '@flotilla/core/service'
import { payments, type Reconciliation } from '../contracts/payments.ts'
import { operationId } from './attempt.ts'
import { type AttemptSeen, findAttempt, findOperation } from './attempt-store.ts'
import { Outcomes } from './outcomes.ts'
import { ProviderClient } from './provider-client.ts'
import { lastReconciliation, type ReconcileOptions, reconcile } from './reconcile.ts'
import { Resolver } from './resolver.ts'
import { PaymentsSettings } from './settings.ts'
import { toPayment } from './settled.ts'
import { forgetWebhooks, handleWebhook } from './webhook.ts'
import { wishAuthorised, wishCaptured, wishRefunded, wishVoided } from './wishes.ts'

const FORGET_MS = 600_000

/** The payments of the shop. */
export const paymentsService = defineService({
  contract: payments,
  config: PaymentsSettings,
  database: { migrations: 'payments/migrations' },
  open({ config, http, clock, every, metrics }) {
    const {
      providerUrl: url,
      providerKey: key,
      webhookSecret,
      providerTimeoutMs: timeoutMs,
      graceMs,
    } = config
    if (key === undefined || webhookSecret === undefined) {
      throw new FlotillaError(
        'failed_precondition',
        'PAYMENTS_PROVIDER_KEY and PAYMENTS_WEBHOOK_SECRET are not set: 16 characters or more each.',
      )
    }
    const provider = new ProviderClient({ http: timed(http, clock, metrics), url, key })
    const outcomes = new Outcomes(() => wake())
    const resolver = new Resolver({ provider, outcomes, timeoutMs })
    const wake = every('resolve payments', config.resolveMs, (ctx) => resolver.resolveDue(ctx))
    const compare = comparison(metrics, { provider, timeoutMs, graceMs })
    every('compare with the provider', config.reconcileMs, async (ctx) => {
      await compare(ctx)
    })
    every('forget webhooks', FORGET_MS, forgetWebhooks)
    const { leaseMs } = resolver

    return {
      async authorise(input, ctx) {
        const wished = await ctx.db.transaction((tx) => wishAuthorised(tx, ctx, input, leaseMs))
        await resolver.tryNow(ctx, wished)
        return toPayment(await stateOf(ctx, input.attemptId))
      },
      async capture(input, ctx) {
        const wished = await ctx.db.transaction((tx) => wishCaptured(tx, ctx, input, leaseMs))
        await resolver.tryNow(ctx, wished)
        if (wished !== undefined && (await isRefused(ctx, wished.id))) throw ctx.fail('capture_refused')
        return toPayment(await stateOf(ctx, input.attemptId))
      },
      async void(input, ctx) {
        const wished = await ctx.db.transaction((tx) => wishVoided(tx, ctx, input, leaseMs))
        await resolver.tryNow(ctx, wished)
        if (wished !== undefined && (await isRefused(ctx, wished.id))) throw ctx.fail('void_refused')
        return toPayment(await stateOf(ctx, input.attemptId))
      },
      async refund(input, ctx) {
        const { attemptId, refundId } = input
        const wished = await ctx.db.transaction((tx) => wishRefunded(tx, ctx, input, leaseMs))
        await resolver.tryNow(ctx, wished)
        const operation = await findOperation(ctx.db, operationId(attemptId, 'refund', refundId))
        if (operation?.state === 'refused') throw ctx.fail('refund_refused')
        const status = operation?.state === 'done' ? 'done' : 'processing'
        return { ...toPayment(await stateOf(ctx, attemptId)), refund: { refundId, status } }
      },
      async status({ attemptId }, ctx) {
        const attempt = await findAttempt(ctx.db, attemptId)
        if (attempt === undefined) throw ctx.fail('no_attempt')
        return toPayment(attempt)
      },
      webhook: handleWebhook(webhookSecret, outcomes),
      reconciliation: (_, ctx) => lastReconciliation(ctx),
      reconcile: (_, ctx) => compare(ctx),
    }
  },
})

/** The same, and shows in the metrics how long the provider takes. */
function timed(http: HttpClient, clock: Clock, metrics: Metrics): HttpClient {
  const durations = metrics.histogram(
    'shop_provider_duration_seconds',
    'From a request to the payment provider to its answer, or to giving up.',
    ['method'],
  )
  return {
    async send(request) {
      const startMs = clock.monotonicMs()
      try {
        return await http.send(request)
      } finally {
        durations.with(request.method).observe(clock.monotonicMs() - startMs)
      }
    },
    close: () => http.close(),
  }
}

/** Compares, and shows in the metrics what came of it. */
function comparison(metrics: Metrics, options: ReconcileOptions): (ctx: Context) => Promise<Reconciliation> {
  const differences = metrics
    .gauge(
      'shop_reconciliation_differences',
      'Captures and refunds that we and the provider do not agree on.',
    )
    .with()
  return async (ctx) => {
    const found = await reconcile(ctx, options)
    differences.set(found.differencesTotal)
    return found
  }
}

/** Of an attempt that is known to be there. */
async function stateOf({ db }: Context, attemptId: string): Promise<AttemptSeen> {
  const attempt = await findAttempt(db, attemptId)
  if (attempt === undefined) throw new FlotillaError('internal', `Attempt ${attemptId} is gone.`)
  return attempt
}

async function isRefused({ db }: Context, id: string): Promise<boolean> {
  return (await findOperation(db, id))?.state === 'refused'
}
