/**
 * How the provider behaves: how long it takes, and what goes wrong how often.
 *
 * @module
 */
import { type Static, Time, Type } from '@flotilla/core/schema'

const Share = Type.Number({ minimum: 0, maximum: 1 })

/** The schema of a profile; what is left out of one that is put in place is that of the instant profile. */
export const Profile = Type.Object({
  /** No latency and no faults, whatever the other fields say; test tokens keep their meaning. */
  isInstant: Type.Boolean(),
  /** All chance follows from it. Absent: from the machine's chance. */
  seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 0xffff_ffff })),
  /** Latency is lognormal with this median. */
  latencyMedianMs: Type.Number({ minimum: 0.1, maximum: 60_000 }),
  latencyP99Ms: Type.Number({ minimum: 0.1, maximum: 60_000 }),
  /** Share of requests that take effect and are never answered. */
  timeoutAfterShare: Share,
  /** Share of requests that neither take effect nor are answered. */
  timeoutBeforeShare: Share,
  /** Share of requests answered with 500: one half before they take effect, the other after. */
  errorShare: Share,
  /** Share of requests answered with 429 and Retry-After. */
  busyShare: Share,
  /** Until then every connection is cut. */
  outageUntil: Type.Optional(Time),
  /** False: a repeated request takes effect again. */
  honoursIdempotencyKeys: Type.Boolean(),
  /** Share of webhooks delivered twice. */
  webhookDuplicateShare: Share,
  /** Share of webhooks that wait, evenly up to `webhookLateMsMax`, so that later ones overtake them. */
  webhookLateShare: Share,
  webhookLateMsMax: Type.Integer({ minimum: 0, maximum: 3_600_000 }),
  /** How long what was paid with `tok_unknown` stays unknown. */
  unknownMs: Type.Integer({ minimum: 0, maximum: 3_600_000 }),
})

/** A profile. */
export type Profile = Static<typeof Profile>

const instant: Profile = {
  isInstant: true,
  latencyMedianMs: 1,
  latencyP99Ms: 1,
  timeoutAfterShare: 0,
  timeoutBeforeShare: 0,
  errorShare: 0,
  busyShare: 0,
  honoursIdempotencyKeys: true,
  webhookDuplicateShare: 0,
  webhookLateShare: 0,
  webhookLateMsMax: 0,
  unknownMs: 5_000,
}

/** The profiles that settings can name. */
export const profiles: Readonly<Record<'instant' | 'realistic', Profile>> = {
  instant,
  realistic: {
    ...instant,
    isInstant: false,
    latencyMedianMs: 150,
    latencyP99Ms: 3_000,
    timeoutAfterShare: 0.02,
    timeoutBeforeShare: 0.01,
    errorShare: 0.01,
    busyShare: 0.01,
    webhookDuplicateShare: 0.05,
    webhookLateShare: 0.05,
    webhookLateMsMax: 10_000,
  },
}
