/**
 * What a follower wants to be told of: which topics, and which partitions from where on. Pure.
 *
 * @module
 */

import { PARTITIONS } from '@flotilla/core/envelope'
import { FlotillaError } from '@flotilla/core/error'
import type { FollowOptions, LoggedEvent } from '@flotilla/core/event-log'

/** A follower's wishes. */
export class Wanted {
  /** True when every type is. */
  readonly isEverything: boolean
  /** Types. */
  readonly types: readonly string[]
  /** Services whose every type is. */
  readonly sources: readonly string[]
  readonly partitions: readonly number[]
  /** Nothing up to here is wanted. */
  readonly from: number
  /** The furthest of its positions. */
  readonly furthest: number
  readonly #types: ReadonlySet<string>
  readonly #sources: ReadonlySet<string>
  readonly #positions: readonly (number | undefined)[]

  /** @throws FlotillaError `invalid_argument` when nothing is wanted, or something that cannot be. */
  constructor({ topics, positions }: Pick<FollowOptions, 'topics' | 'positions'>) {
    this.isEverything = topics.includes('*')
    this.sources = topics.filter((topic) => topic.endsWith('.*')).map((topic) => topic.slice(0, -2))
    this.types = topics.filter((topic) => !topic.endsWith('*'))
    this.#types = new Set(this.types)
    this.#sources = new Set(this.sources)
    const given = Object.entries(positions).map(([partition, at]) => [Number(partition), at] as const)
    const areRight = given.every(
      ([partition, at]) => isUpTo(partition, PARTITIONS - 1) && isUpTo(at, Number.MAX_SAFE_INTEGER),
    )
    if (!areRight || given.length === 0 || topics.length === 0) {
      const message = 'A follower names topics, and positions of partitions.'
      throw new FlotillaError('invalid_argument', message, { executed: 'no' })
    }
    this.partitions = given.map(([partition]) => partition)
    const byPartition = new Array<number | undefined>(PARTITIONS).fill(undefined)
    for (const [partition, at] of given) byPartition[partition] = at
    this.#positions = byPartition
    this.from = Math.min(...given.map(([, at]) => at))
    this.furthest = Math.max(...given.map(([, at]) => at))
  }

  has({ position, partition, event }: LoggedEvent): boolean {
    const at = this.#positions[partition]
    if (at === undefined || position <= at) return false
    return this.isEverything || this.#types.has(event.type) || this.#sources.has(event.source)
  }
}

function isUpTo(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max
}
