/**
 * One side of `overload.mjs`, in a process of its own: the service that has too much to do, or the load.
 *
 * @module
 */
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { anyService } from '@flotilla/core/access'
import { Cancellation } from '@flotilla/core/cancellation'
import { systemClock as clock } from '@flotilla/core/clock'
import { defineContract } from '@flotilla/core/contract'
import { openFramesChannel } from '@flotilla/core/frames-channel'
import { openHost } from '@flotilla/core/host'
import { readHostSettings } from '@flotilla/core/host-settings'
import { query } from '@flotilla/core/operation'
import { systemRandom as random } from '@flotilla/core/random'
import { Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { TimerWheel } from '@flotilla/core/timer-wheel'
import { TraceContext } from '@flotilla/core/trace-context'
import { createKeys, credentialOf, hostEnvironment, ports, socketOf } from './hosts.mjs'
import { input, output } from './payload.mjs'

const CONNECTIONS = 4
const HOLD_MS = 5
const COMPUTE_MS = 2
const DEADLINE_MS = 1_000
/** As if two processes called; each connection bounds what is on its way, at more than the load is in a second. */
const CHANNELS = 2
const BUCKET_MS = 250

const operation = (summary) =>
  query({
    summary,
    access: anyService,
    input: Type.Object({}, { additionalProperties: true }),
    output: Type.Object({}, { additionalProperties: true }),
  })

const contract = defineContract({
  name: 'bench',
  version: 1,
  summary: 'Has too much to do.',
  operations: { pool: operation('Waits for a connection.'), compute: operation('Computes.') },
})

let free = CONNECTIONS
const waiting = []

async function pool() {
  if (free > 0) free--
  else await new Promise((resolve) => waiting.push(resolve))
  await new Promise((resolve) => setTimeout(resolve, HOLD_MS))
  const next = waiting.shift()
  if (next === undefined) free++
  else next()
  return output
}

/** Not at once, as hardly any handler is that does something. */
async function compute() {
  await new Promise((resolve) => setImmediate(resolve))
  const endMs = performance.now() + COMPUTE_MS
  while (performance.now() < endMs);
  return output
}

async function serve() {
  const keys = createKeys()
  const folder = tmpdir()
  const instance = `flotilla-overload-${process.pid}`
  rmSync(socketOf(folder, instance), { force: true })
  const service = defineService({ contract, open: () => ({ pool, compute }) })
  const app = { name: 'bench', folder: '', services: { bench: async () => service } }
  const settings = readHostSettings({
    ...hostEnvironment({ folder, keys, instance, services: ['bench'] }),
    FLOTILLA_LOG_LEVEL: 'silent',
    FLOTILLA_ADMISSION: process.env.FLOTILLA_ADMISSION,
    FLOTILLA_CONCURRENCY_MAX: process.env.FLOTILLA_CONCURRENCY_MAX,
  })
  await openHost({ app, settings, environment: {}, ports })
  return { path: socketOf(folder, instance), credential: credentialOf(keys, 'load', ['caller']) }
}

async function connect({ path, credential }) {
  const wheel = new TimerWheel(clock)
  const open = () =>
    openFramesChannel({ address: { kind: 'unix', path }, clock, wheel, callers: ['caller'], credential })
  return Promise.all(Array.from({ length: CHANNELS }, open))
}

/** Counts what becomes of the calls of one flow, in one phase. */
class Tally {
  sent = 0
  good = 0
  late = 0
  refused = 0
  lost = 0
  onWay = 0
  buckets = []
  #answeredMs = []
  #refusedMs = []
  #startMs = performance.now()

  send(channel, kind, criticality, onEnd = () => {}) {
    const startMs = clock.monotonicMs()
    this.sent++
    this.onWay++
    const request = {
      operation: contract.operations[kind],
      input,
      wantsJson: false,
      startMs,
      caller: { service: 'caller' },
      deadlineMs: startMs + DEADLINE_MS,
      trace: TraceContext.start(random, false),
      criticality,
      cancellation: new Cancellation(),
    }
    channel.call(request, ({ error }) => {
      this.onWay--
      const tookMs = clock.monotonicMs() - startMs
      if (error === undefined && tookMs <= DEADLINE_MS) this.#answered(tookMs)
      else if (error === undefined || error.code === 'deadline_exceeded') this.late++
      else if (error.isOverloaded) this.#refused(tookMs)
      // The connection had no room for one more.
      else this.lost++
      onEnd()
    })
  }

  #answered(tookMs) {
    const bucket = Math.floor((performance.now() - this.#startMs) / BUCKET_MS)
    this.good++
    this.#answeredMs.push(tookMs)
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1
  }

  #refused(tookMs) {
    this.refused++
    this.#refusedMs.push(tookMs)
  }

  result() {
    const { sent, good, late, refused, lost } = this
    const buckets = Array.from(this.buckets, (count) => count ?? 0)
    const [p99Ms, refusedP99Ms] = [p99(this.#answeredMs), p99(this.#refusedMs)]
    return { sent, good, late, refused, lost, buckets, p99Ms, refusedP99Ms }
  }
}

function p99(values) {
  return values.sort((a, b) => a - b)[Math.floor((values.length - 1) * 0.99)] ?? Number.NaN
}

/** So many at a time. */
async function closedLoop(channels, { kind, inFlight, durationMs }) {
  const tally = new Tally()
  const fromMs = Date.now()
  const endMs = performance.now() + durationMs
  await Promise.all(
    Array.from({ length: inFlight }, async (_, index) => {
      while (performance.now() < endMs) {
        await new Promise((resolve) => tally.send(channels[index % CHANNELS], kind, 'critical', resolve))
      }
    }),
  )
  return { ...tally.result(), fromMs, toMs: Date.now() }
}

/** Phase after phase, then the end of what is on its way. */
async function openLoop(channels, { kind, phases }) {
  const results = []
  for (const { flows, durationMs } of phases) {
    const fromMs = Date.now()
    const tallies = await onePhase(channels, kind, flows, durationMs)
    results.push({ tallies, fromMs, toMs: Date.now(), bucketMs: BUCKET_MS })
  }
  const all = results.flatMap(({ tallies }) => Object.values(tallies))
  while (all.some(({ onWay }) => onWay > 0)) await new Promise((resolve) => setTimeout(resolve, BUCKET_MS))
  return results.map(({ tallies, ...rest }) => ({
    ...rest,
    flows: Object.fromEntries(Object.entries(tallies).map(([name, tally]) => [name, tally.result()])),
  }))
}

/** Each flow at its rate, evenly. */
async function onePhase(channels, kind, flows, durationMs) {
  const tallies = Object.fromEntries(flows.map(({ name }) => [name, new Tally()]))
  const startMs = performance.now()
  for (let pastMs = 0; pastMs < durationMs; pastMs = performance.now() - startMs) {
    for (const { name, criticality, perSec } of flows) {
      const tally = tallies[name]
      for (const due = (pastMs * perSec) / 1_000; tally.sent < due; )
        tally.send(channels[tally.sent % CHANNELS], kind, criticality)
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return tallies
}

if (process.argv[2] === 'server') {
  const address = await serve()
  const samples = []
  setInterval(() => {
    const { user, system } = process.cpuUsage()
    samples.push({ atMs: Date.now(), cpuUs: user + system, rssBytes: process.memoryUsage.rss() })
  }, BUCKET_MS)
  process.on('message', () => process.send(samples))
  process.send({ address })
} else {
  let channels
  process.on('message', async (asked) => {
    channels ??= await connect(asked.address)
    process.send(await (asked.phases === undefined ? closedLoop : openLoop)(channels, asked))
  })
}
process.on('disconnect', () => process.exit(0))
