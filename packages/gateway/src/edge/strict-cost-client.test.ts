/**
 * The client of the campaign of costs, in a process of its own, and as cheap as Node has it: bytes that were made beforehand, as many
 * requests to a connection as the gateway takes, and answers that nobody looks at.
 *
 * @module
 */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { systemClock } from '@flotilla/core/clock'
import { until } from '@flotilla/core/until'
import type { CostCase } from './strict-cost-case.test.ts'
import { casesOf } from './strict-cost-cases.test.ts'
import { Spending, type Spent } from './strict-cost-spending.test.ts'

/** What it is asked to do. */
export type Order =
  | { readonly do: 'send'; readonly name: string; readonly port: number; readonly forMs: number }
  | { readonly do: 'hold'; readonly name: string; readonly port: number; readonly count: number }
  | { readonly do: 'let go' }

/** What came of it. */
export interface Sent {
  readonly tookMs: number
  readonly connections: number
  readonly requests: number
  readonly bytes: number
  /** What all this cost, without what it takes to prepare it. */
  readonly cpuUs: number
  /** How much more memory the process has than before. */
  readonly grownBytes: number
}

const AT_ONCE = 8
/** A gateway that neither answers nor closes is a mistake of the case. */
const CONNECTION_MS_MAX = 15_000
/** Answers are read into it, and forgotten. */
const waste = Buffer.alloc(256 * 1024)

/** One connection: sends all, and resolves when the other side has closed it. */
function sendOnce(
  { bytes, protocol, endsAtAnswer, readsAfterMs, leavesAfterMs = CONNECTION_MS_MAX }: CostCase,
  port: number,
): Promise<void> {
  return new Promise((resolve) => {
    const timer = systemClock.schedule(leavesAfterMs, () => socket.destroy())
    const heard = (): boolean => {
      if (endsAtAnswer) socket.destroy()
      return true
    }
    const socket = open(port, protocol, heard)
    socket.on('error', () => {})
    socket.on('close', () => {
      timer.cancel()
      resolve()
    })
    socket.write(bytes)
    if (readsAfterMs === undefined) return
    socket.pause()
    systemClock.schedule(readsAfterMs, () => void socket.resume())
  })
}

function open(port: number, protocol: CostCase['protocol'], heard: () => boolean): Socket {
  if (protocol !== 'h2') {
    return connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer: waste, callback: heard } })
  }
  // It is not for us to check who they are.
  const socket = connectTls({ port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false })
  return socket.on('data', heard)
}

async function send(one: CostCase, port: number, forMs: number, spending: Spending): Promise<Sent> {
  spending.settle()
  const before = spending.read()
  const startMs = systemClock.monotonicMs()
  const endMs = startMs + forMs
  let connections = 0
  const some = async (): Promise<void> => {
    do {
      connections++
      await sendOnce(one, port)
    } while (systemClock.monotonicMs() < endMs)
  }
  await Promise.all(Array.from({ length: one.atOnce ?? AT_ONCE }, some))
  return told(one, connections, startMs, before, spending.read())
}

/** Connections that have sent everything, and stay. */
async function hold(
  one: CostCase,
  port: number,
  count: number,
  spending: Spending,
  held: Socket[],
): Promise<Sent> {
  spending.settle()
  const before = spending.read()
  const startMs = systemClock.monotonicMs()
  let flushed = 0
  for (let index = 0; index < count; index++) {
    const socket = open(port, one.protocol, () => true)
    socket.on('error', () => {})
    if (one.isDeaf === true) socket.pause()
    held.push(socket)
    socket.write(one.bytes, () => flushed++)
  }
  // What is refused on the way is cut, and what nobody reads may get stuck: both are as good as sent.
  let last = -1
  await until(
    'all is sent, or stuck',
    async () => {
      const isStuck = last === flushed && flushed > 0
      last = flushed
      if (!isStuck && flushed < count) await systemClock.sleep(500)
      return flushed === count || isStuck
    },
    CONNECTION_MS_MAX,
  )
  spending.settle()
  return told(one, count, startMs, before, spending.read())
}

function told(
  { bytes, requests }: CostCase,
  connections: number,
  startMs: number,
  before: Spent,
  after: Spent,
): Sent {
  return {
    tookMs: systemClock.monotonicMs() - startMs,
    connections,
    requests: connections * requests,
    bytes: connections * bytes.length,
    cpuUs: after.cpuUs - before.cpuUs,
    grownBytes: after.bytes - before.bytes,
  }
}

function serve(): void {
  const cases = new Map<string, CostCase>()
  const caseOf = (name: string): CostCase => {
    if (cases.size === 0) for (const one of casesOf()) cases.set(one.name, one)
    return cases.get(name) as CostCase
  }
  const spending = new Spending(false)
  const held: Socket[] = []
  const follow = async (order: Order): Promise<Sent | undefined> => {
    if (order.do === 'send') return send(caseOf(order.name), order.port, order.forMs, spending)
    if (order.do === 'hold') return hold(caseOf(order.name), order.port, order.count, spending, held)
    for (const socket of held.splice(0)) socket.destroy()
    return undefined
  }
  process.on('message', (order: Order | 'read' | 'settle') => {
    if (order === 'settle') spending.settle()
    if (typeof order === 'string') process.send?.(spending.read())
    else void follow(order).then((sent) => process.send?.({ sent }))
  })
  process.on('disconnect', () => process.exit(0))
  process.send?.({ port: 0 })
}

if (process.argv[2] === 'cost-client') serve()
