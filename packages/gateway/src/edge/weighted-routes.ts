/**
 * Several routes that answer the same requests, each as often as it weighs.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import type { Random } from '@flotilla/core/random'
import type { Route } from './route.ts'

/** Chooses. */
export class WeightedRoutes {
  readonly #routes: readonly (readonly [route: Route, weight: number])[]
  readonly #total: number

  /** Weights are 0 or more, and one is more. */
  constructor(routes: readonly (readonly [route: Route, weight: number])[]) {
    this.#routes = routes
    this.#total = routes.reduce((sum, [, weight]) => sum + weight, 0)
  }

  /** Any. */
  any(random: Random): Route {
    return this.#at(random.next())
  }

  /** The same for the same `key`, and as few others as can be when the weights change a little. */
  of(key: string): Route {
    return this.#at(createHash('sha256').update(key).digest().readUInt32BE(0) / 0x1_0000_0000)
  }

  #at(point: number): Route {
    let left = point * this.#total
    for (const [route, weight] of this.#routes) {
      left -= weight
      if (left < 0) return route
    }
    // Sums of fractions may fall short by a hair.
    return (this.#routes.findLast(([, weight]) => weight > 0) as readonly [Route, number])[0]
  }
}
