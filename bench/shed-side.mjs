/**
 * One side of `shed.mjs`, in a process of its own: the service that has too much to do, or the load.
 *
 * @module
 */
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { anyService } from '@flotilla/core/access'
import { Cancellation } from '@flotilla/core/cancellation'
import { systemClock as clock } from '@flotilla/core/clock'
import { defineContract } from '@flotilla/core/contract'
import { createKeyPair, Signer } from '@flotilla/core/credentials'
import { openFramesChannel } from '@flotilla/core/frames-channel'
import { openHost } from '@flotilla/core/host'
import { readHostSettings } from '@flotilla/core/host-settings'
import { createIds } from '@flotilla/core/ids'
import { query } from '@flotilla/core/operation'
import { systemRandom as random } from '@flotilla/core/random'
import { Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { TimerWheel } from '@flotilla/core/timer-wheel'
import { TraceContext } from '@flotilla/core/trace-context'
import { input, output } from './payload.mjs'

const CONNECTIONS = 4
const HOLD_MS = 5
const COMPUTE_MS = 0.5
const DEADLINE_MS = 1_000
/** So many connections, because each bounds what is on its way. */
const CHANNELS = 8
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
  const keys = { process: createKeyPair(), user: createKeyPair() }
  const path = join(tmpdir(), `flotilla-shed-${process.pid}.sock`)
  rmSync(path, { force: true })
  const service = defineService({ contract, open: () => ({ pool, compute }) })
  const app = { name: 'bench', folder: '', services: { bench: async () => service } }
  const signer = new Signer(keys.process.privateKey)
  const expiresAt = clock.now() + 3_600_000
  const settings = readHostSettings({
    FLOTILLA_SERVICES: 'bench',
    FLOTILLA_INSTANCE: 'bench',
    FLOTILLA_FRAMES: `unix:${path}`,
    FLOTILLA_PROCESS_KEY: keys.process.publicKey,
    FLOTILLA_USER_KEY: keys.user.publicKey,
    FLOTILLA_CREDENTIAL: signer.process({ instance: 'bench', services: ['bench'], expiresAt }),
    FLOTILLA_LOG_LEVEL: 'silent',
    FLOTILLA_ADMISSION: process.env.BENCH_ADMISSION,
  })
  const ports = { clock, random, newId: createIds(clock, random) }
  await openHost({ app, settings, environment: {}, ports })
  const credential = signer.process({ instance: 'load', services: ['caller'], expiresAt })
  return { path, credential }
}

async function connect({ path, credential }) {
  const wheel = new TimerWheel(clock)
  const open = () =>
    openFramesChannel({ address: { kind: 'unix', path }, clock, wheel, callers: ['caller'], credential })
  return Promise.all(Array.from({ length: CHANNELS }, open))
}

/** Counts what becomes of calls. */
class Tally {
  good = 0
  late = 0
  refused = 0
  lost = 0
  onWay = 0
  buckets = []
  latencies = []
  #startMs = performance.now()

  send(channel, kind, onEnd = () => {}) {
    const startMs = clock.monotonicMs()
    this.onWay++
    const request = {
      operation: contract.operations[kind],
      input,
      wantsJson: false,
      startMs,
      caller: { service: 'caller' },
      deadlineMs: startMs + DEADLINE_MS,
      trace: TraceContext.start(random, false),
      criticality: 'critical',
      cancellation: new Cancellation(),
    }
    channel.call(request, ({ error }) => {
      this.onWay--
      const tookMs = clock.monotonicMs() - startMs
      if (error === undefined && tookMs <= DEADLINE_MS) this.#answered(tookMs)
      else if (error === undefined || error.code === 'deadline_exceeded') this.late++
      // One that the channel refuses never reached the server.
      else if (error.isRemote) this.refused++
      else this.lost++
      onEnd()
    })
  }

  #answered(tookMs) {
    const bucket = Math.floor((performance.now() - this.#startMs) / BUCKET_MS)
    this.good++
    this.latencies.push(tookMs)
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1
  }

  async result() {
    const { good, late, refused, lost } = this
    const buckets = Array.from(this.buckets, (count) => count ?? 0)
    const sorted = this.latencies.toSorted((a, b) => a - b)
    const p99Ms = sorted[Math.floor((sorted.length - 1) * 0.99)] ?? Number.NaN
    return { good, late, refused, lost, buckets, bucketMs: BUCKET_MS, p99Ms }
  }
}

/** So many at a time. */
async function closedLoop(channels, kind, inFlight, durationMs) {
  const tally = new Tally()
  const endMs = performance.now() + durationMs
  await Promise.all(
    Array.from({ length: inFlight }, async (_, index) => {
      while (performance.now() < endMs) {
        await new Promise((resolve) => tally.send(channels[index % CHANNELS], kind, resolve))
      }
    }),
  )
  return tally.result()
}

/** So many a second, evenly; the answers of the last second are not waited for. */
async function openLoop(channels, kind, perSec, durationMs) {
  const tally = new Tally()
  const startMs = performance.now()
  let sent = 0
  for (let pastMs = 0; pastMs < durationMs; pastMs = performance.now() - startMs) {
    for (const due = (pastMs * perSec) / 1_000; sent < due; sent++)
      tally.send(channels[sent % CHANNELS], kind)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return tally.result()
}

if (process.argv[2] === 'server') {
  const address = await serve()
  let before = process.cpuUsage()
  process.on('message', () => {
    const { user, system } = process.cpuUsage(before)
    before = process.cpuUsage()
    process.send({ cpuUs: user + system })
  })
  process.send({ address })
} else {
  let channels
  process.on('message', async ({ address, kind, inFlight, perSec, durationMs }) => {
    channels ??= await connect(address)
    process.send(
      inFlight === undefined
        ? await openLoop(channels, kind, perSec, durationMs)
        : await closedLoop(channels, kind, inFlight, durationMs),
    )
  })
}
process.on('disconnect', () => process.exit(0))
