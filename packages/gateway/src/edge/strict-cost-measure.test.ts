/**
 * What a request costs the gateway, and what it costs who sends it, both as processes of their own.
 *
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@flotilla/core/clock'
import type { CostCase } from './strict-cost-case.test.ts'
import type { Order, Sent } from './strict-cost-client.test.ts'
import type { Kind } from './strict-cost-gateway.test.ts'
import type { Spent } from './strict-cost-spending.test.ts'

/** What came of a case. */
export interface Cost {
  readonly one: CostCase
  readonly sent: Sent
  /** CPU time of the gateway. */
  readonly cpuUs: number
  /** What it had more at its peak while cases were sent, or has more while they are held. */
  readonly grownBytes: number
  /** Its CPU time, by that of the client; where connections are held, its memory by the bytes that the client has sent. */
  readonly ratio: number
}

/** Below this a process's time cannot be told from nothing. */
const CPU_US_MIN = 2_000
/** What a connection takes of the cheapest client there could be, beside what it sends: the kernel's part of a socket. */
const CLIENT_BYTES = 4_096
const IDLE_MS = 200
const IDLE_LOOKS = 3
const CALM_MS = 50
/** A gateway that is still busy then is busy with something else. */
const CALM_LOOKS_MAX = 400
/** Microseconds a millisecond, above what it spends on nothing. */
const CALM_US = 100

const sides = {
  gateway: './strict-cost-gateway.test.js',
  client: './strict-cost-client.test.js',
}

function start(side: keyof typeof sides, ...args: readonly string[]): ChildProcess {
  const path = fileURLToPath(new URL(sides[side], import.meta.url))
  return fork(path, [`cost-${side}`, ...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
}

function answerOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`a process ended with ${code}`))
    child.once('exit', ended)
    child.once('message', (message) => {
      child.off('exit', ended)
      resolve(message as T)
    })
  })
}

function ask<T>(child: ChildProcess, message: string | Order): Promise<T> {
  const answer = answerOf<T>(child)
  child.send(message)
  return answer
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.disconnect()
  })
}

/** A gateway and a client that measure cases, one after the other. */
export class Scales {
  readonly #client: ChildProcess
  readonly #gateway: ChildProcess
  readonly #port: number
  /** Microseconds a millisecond that the gateway spends on nothing; the client does nothing by itself. */
  readonly #idle: number

  private constructor(client: ChildProcess, gateway: ChildProcess, port: number, idle: number) {
    this.#client = client
    this.#gateway = gateway
    this.#port = port
    this.#idle = idle
  }

  /** Opens both. */
  static async open(kind: Kind): Promise<Scales> {
    const gateway = start('gateway', kind)
    const client = start('client')
    const [{ port }] = await Promise.all([answerOf<{ port: number }>(gateway), answerOf(client)])
    const spentIdle = async (child: ChildProcess): Promise<number> => {
      let least = Number.POSITIVE_INFINITY
      for (let look = 0; look < IDLE_LOOKS; look++) {
        const before = await ask<Spent>(child, 'settle')
        await systemClock.sleep(IDLE_MS)
        const after = await ask<Spent>(child, 'read')
        least = Math.min(least, (after.cpuUs - before.cpuUs) / IDLE_MS)
      }
      return least
    }
    return new Scales(client, gateway, port, await spentIdle(gateway))
  }

  async close(): Promise<void> {
    await Promise.all([ended(this.#client), ended(this.#gateway)])
  }

  /** Sends a case again and again for a time. */
  async send(one: CostCase, forMs: number): Promise<Cost> {
    const before = await ask<Spent>(this.#gateway, 'settle')
    const startMs = systemClock.monotonicMs()
    const { sent } = await ask<{ sent: Sent }>(this.#client, {
      do: 'send',
      name: one.name,
      port: this.#port,
      forMs,
    })
    const after = await this.#calm()
    const tookMs = systemClock.monotonicMs() - startMs
    const cpuUs = Math.max(0, after.cpuUs - before.cpuUs - this.#idle * tookMs)
    const clientUs = Math.max(CPU_US_MIN, sent.cpuUs)
    const grownBytes = after.peakBytes - before.bytes
    return { one, sent: { ...sent, cpuUs: clientUs }, cpuUs, grownBytes, ratio: cpuUs / clientUs }
  }

  /** Opens connections that stay, and looks what they hold. */
  async hold(one: CostCase, count: number): Promise<Cost> {
    const before = await ask<Spent>(this.#gateway, 'settle')
    const { sent } = await ask<{ sent: Sent }>(this.#client, {
      do: 'hold',
      name: one.name,
      port: this.#port,
      count,
    })
    await this.#calm()
    const after = await ask<Spent>(this.#gateway, 'settle')
    await ask(this.#client, { do: 'let go' })
    await this.#calm()
    const grownBytes = Math.max(after.bytes - before.bytes, after.ownBytes - before.ownBytes)
    const ratio = Math.max(0, grownBytes) / (sent.bytes + count * CLIENT_BYTES)
    return { one, sent, cpuUs: after.cpuUs - before.cpuUs, grownBytes, ratio }
  }

  /** Waits until the gateway has nothing more to do with what was sent; the peak is of all that time. */
  async #calm(): Promise<Spent> {
    let spent = await ask<Spent>(this.#gateway, 'read')
    let { peakBytes } = spent
    for (let look = 0; look < CALM_LOOKS_MAX; look++) {
      await systemClock.sleep(CALM_MS)
      const now = await ask<Spent>(this.#gateway, 'read')
      const isCalm = now.cpuUs - spent.cpuUs < CALM_MS * (this.#idle + CALM_US)
      peakBytes = Math.max(peakBytes, now.peakBytes)
      spent = { ...now, peakBytes }
      if (isCalm) break
    }
    return spent
  }
}
