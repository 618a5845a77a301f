/**
 * The registry's memory: which instances there are, until when, and whether they answer. Pure: told the time and the results
 * of checks, it says what changed.
 *
 * Life of an instance: **up** from its first registration; **down** when it deregisters, when its lease runs out, or when it does
 * not answer a check; up again with its next registration, or with a check it answers. After a restart the table is
 * empty and fills with the next heartbeats; since it only takes off what it once had, it evicts nothing it has not seen.
 *
 * @module
 */

import { type Instance, instanceKey } from '@flotilla/core/directory'
import { LEASE_MS, type Update } from '@flotilla/core/registry'

/** Instances at most: a bound, far above what one system has. */
const INSTANCES_MAX = 10_000

interface Entry {
  instance: Instance
  leaseUntilMs: number
  isAnswering: boolean
}

/** The table. */
export class LeaseTable {
  readonly #entries = new Map<string, Entry>()

  /** Those that are up. */
  get instances(): readonly Instance[] {
    return [...this.#entries.values()]
      .filter(({ isAnswering }) => isAnswering)
      .map(({ instance }) => instance)
  }

  /** False when the table is full. */
  hasRoomFor(instance: Instance): boolean {
    return this.#entries.size < INSTANCES_MAX || this.#entries.has(instanceKey(instance))
  }

  /** An instance announced itself. Returns the news, if it is any. */
  register(instance: Instance, nowMs: number): Update | undefined {
    const key = instanceKey(instance)
    const known = this.#entries.get(key)
    this.#entries.set(key, { instance, leaseUntilMs: nowMs + LEASE_MS, isAnswering: true })
    const isNews = known === undefined || !known.isAnswering || !isSame(known.instance, instance)
    return isNews ? { kind: 'up', instance } : undefined
  }

  /** An instance says goodbye. */
  deregister(which: Pick<Instance, 'service' | 'instance'>): Update | undefined {
    const entry = this.#take(instanceKey(which))
    return entry === undefined ? undefined : { kind: 'down', instance: entry.instance, why: 'left' }
  }

  /** A check told whether the instance answers. */
  checked(instance: Instance, isAnswering: boolean): Update | undefined {
    const entry = this.#entries.get(instanceKey(instance))
    if (entry === undefined || entry.isAnswering === isAnswering) return undefined
    entry.isAnswering = isAnswering
    return isAnswering
      ? { kind: 'up', instance: entry.instance }
      : { kind: 'down', instance: entry.instance, why: 'unhealthy' }
  }

  /** Takes off those whose lease ran out. */
  expire(nowMs: number): readonly Update[] {
    const news: Update[] = []
    for (const [key, { instance, leaseUntilMs }] of this.#entries) {
      if (leaseUntilMs > nowMs) continue
      this.#entries.delete(key)
      news.push({ kind: 'down', instance, why: 'expired' })
    }
    return news
  }

  /** Those of one process, up or not. */
  ofProcess(http: string): readonly Instance[] {
    return [...this.#entries.values()]
      .filter(({ instance }) => instance.http === http)
      .map(({ instance }) => instance)
  }

  /** The record of an instance, up or not. */
  find(which: Pick<Instance, 'service' | 'instance'>): Instance | undefined {
    return this.#entries.get(instanceKey(which))?.instance
  }

  /** Those nobody heard of for `silenceMs`, and those that did not answer: worth a check. */
  doubtful(nowMs: number, silenceMs: number): readonly Instance[] {
    return [...this.#entries.values()]
      .filter(({ leaseUntilMs, isAnswering }) => !isAnswering || leaseUntilMs - LEASE_MS + silenceMs <= nowMs)
      .map(({ instance }) => instance)
  }

  #take(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    this.#entries.delete(key)
    return entry
  }
}

function isSame(a: Instance, b: Instance): boolean {
  return a.frames === b.frames && a.http === b.http && a.version === b.version
}
