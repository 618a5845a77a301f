/**
 * The payment provider, simulated: an outside company in a process of its own, with its own books, that the shop reaches by
 * HTTP alone.
 *
 * Where webhooks go, and how it behaves, is for settings to say; the profile can be changed at run time, and one that was put
 * in place survives a restart.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import { type Random, seededRandom } from '@flotilla/core/random'
import { closed, lazyCheck } from '@flotilla/core/schema'
import { type Context, defineService } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'
import { TraceContext } from '@flotilla/core/trace-context'
import { provider } from '../contracts/provider.ts'
import { answerApi, hasKey } from './api.ts'
import { type FrontAnswer, type FrontRequest, openFront, refusal } from './front.ts'
import { Profile, profiles } from './profile.ts'
import { ProviderSettings } from './settings.ts'
import { sendDue } from './webhooks.ts'

const ANSWER_MS = 70_000
const READ_MS = 10_000
const WEBHOOKS_MS = 250

/** The provider. */
export const providerService = defineService({
  contract: provider,
  config: ProviderSettings,
  database: { migrations: 'provider/migrations' },
  async open({ config, clock, random, run, every, closing, http }) {
    const { apiKey, webhookSecret, webhookUrl } = config
    if (apiKey === undefined || webhookSecret === undefined) {
      throw new FlotillaError(
        'failed_precondition',
        'PROVIDER_API_KEY and PROVIDER_WEBHOOK_SECRET are not set: 16 characters or more each.',
      )
    }
    const behaviour = new Behaviour(profiles[config.profile], random)
    await run('read the profile', READ_MS, (ctx) => behaviour.read(ctx))
    const hasWebhooks = webhookUrl !== ''
    const target = { url: webhookUrl, secret: webhookSecret, http }
    const wake = hasWebhooks ? every('send webhooks', WEBHOOKS_MS, (ctx) => sendDue(ctx, target)) : () => {}

    const answer = async (ctx: Context, request: FrontRequest): Promise<FrontAnswer> => {
      if (request.path[0] !== 'simulator') {
        const answered = await answerApi(ctx, { apiKey, hasWebhooks, ...behaviour.current }, request)
        if (request.method === 'POST') wake()
        return answered
      }
      if (!hasKey(request, apiKey)) return refusal(401, 'no_key', 'Show the secret key.')
      return answerSimulator(ctx, behaviour, request)
    }
    const front = await openFront({ host: config.host, port: config.port, clock }, (request) =>
      run('answer', ANSWER_MS, (ctx) => answer(ctx, request), { parent: parentOf(request, apiKey) }),
    )
    closing.defer('front', () => front.close())
    return {}
  },
})

/** The span that a merchant of ours asks in: so its traces go on here, and nobody else can add to them. */
function parentOf(request: FrontRequest, apiKey: string): TraceContext | undefined {
  const { traceparent } = request
  if (traceparent === undefined || !hasKey(request, apiKey)) return undefined
  return TraceContext.parse(traceparent)
}

const checkProfile = lazyCheck(closed(Profile))

async function answerSimulator(
  ctx: Context,
  behaviour: Behaviour,
  { method, path, body }: FrontRequest,
): Promise<FrontAnswer> {
  if (path[1] !== 'profile') return refusal(404, 'no_path', 'There is no such path.')
  if (method === 'DELETE') await behaviour.put(ctx, undefined)
  if (method === 'PUT') {
    const profile = { ...profiles.instant, isInstant: false, ...(body as object) }
    const [issue] = checkProfile(profile) ?? []
    if (issue !== undefined) return refusal(400, 'bad_request', `${issue.pointer} ${issue.message}`)
    await behaviour.put(ctx, profile)
  }
  return { status: 200, body: behaviour.current.profile }
}

/** The profile in force. */
class Behaviour {
  readonly #fallback: Profile
  readonly #machine: Random
  current: { readonly profile: Profile; readonly random: Random }

  constructor(fallback: Profile, machine: Random) {
    this.#fallback = fallback
    this.#machine = machine
    this.current = this.#with(fallback)
  }

  async read({ db }: Context): Promise<void> {
    const kept = await db.maybe<{ profile: Profile }>(sql`select profile from profile`)
    this.current = this.#with(kept?.profile ?? this.#fallback)
  }

  /** Puts a profile in place; undefined: that of the settings. Chance begins anew from its seed. */
  async put({ db }: Context, profile: Profile | undefined): Promise<void> {
    if (profile === undefined) await db.execute(sql`delete from profile`)
    else {
      await db.execute(sql`
        insert into profile (profile) values (${sql.json(profile)})
        on conflict (is_the_one) do update set profile = excluded.profile`)
    }
    this.current = this.#with(profile ?? this.#fallback)
  }

  #with(profile: Profile): Behaviour['current'] {
    const { seed } = profile
    return { profile, random: seed === undefined ? this.#machine : seededRandom(seed) }
  }
}
