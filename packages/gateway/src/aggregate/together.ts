/**
 * One answer from many services. A part that fails is null, with a note, and the rest is there all the same.
 *
 * @module
 */
import { asSeenUpstream } from '@flotilla/core/error'
import { Type } from '@flotilla/core/schema'
import type { Context } from '@flotilla/core/service'

/** What is missing from an aggregated answer, and why. */
export const Partial = Type.Array(Type.Object({ part: Type.String(), reason: Type.String() }))

/** Parts by name, each null when it failed. */
export type Together<P extends Readonly<Record<string, Promise<unknown>>>> = {
  readonly [K in keyof P]: Awaited<P[K]> | null
}

/** Waits for all parts; `partial` names those that failed. */
export async function together<P extends Readonly<Record<string, Promise<unknown>>>>(
  ctx: Context,
  parts: P,
): Promise<Together<P> & { readonly partial: { part: string; reason: string }[] }> {
  const partial: { part: string; reason: string }[] = []
  const answers: Record<string, unknown> = {}
  const entries = Object.entries(parts)
  const settled = await Promise.allSettled(entries.map(([, promise]) => promise))
  for (const [index, result] of settled.entries()) {
    const part = entries[index]?.[0] as string
    answers[part] = result.status === 'fulfilled' ? result.value : null
    if (result.status === 'fulfilled') continue
    // Only the kind of failure is told: the text is a callee's.
    partial.push({ part, reason: asSeenUpstream(result.reason, {}).code })
    ctx.log.warn(`part ${part} is missing`, { error: result.reason })
  }
  return { ...answers, partial } as Together<P> & { readonly partial: { part: string; reason: string }[] }
}
