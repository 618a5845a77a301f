/**
 * What a process has spent, as it sees it itself. Memory is looked at often, so that a peak shows.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemClock } from '@flotilla/core/clock'

/** CPU time since the process began; memory now, and the most of it since it was asked for last. */
export interface Spent {
  readonly cpuUs: number
  readonly bytes: number
  /** Of the heap and what belongs to it: what was let go of is given back to the system late, so that memory now may hide it. */
  readonly ownBytes: number
  readonly peakBytes: number
}

const LOOK_MS = 20

/** Looks at the process it is in. */
export class Spending {
  #peakBytes = 0

  /** Looks by itself where the peak matters: that costs a little. */
  constructor(isLooking: boolean) {
    if (!isLooking) return
    const look = (): void => {
      this.#peakBytes = Math.max(this.#peakBytes, process.memoryUsage.rss())
      systemClock.schedule(LOOK_MS, look)
    }
    look()
  }

  /** Lets go of what nobody holds. */
  settle(): void {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    gc()
    gc()
  }

  read(): Spent {
    const { user, system } = process.cpuUsage()
    const { rss: bytes, heapUsed, external } = process.memoryUsage()
    const peakBytes = Math.max(this.#peakBytes, bytes)
    this.#peakBytes = 0
    return { cpuUs: user + system, bytes, ownBytes: heapUsed + external, peakBytes }
  }
}
