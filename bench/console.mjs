/**
 * `npm run bench -- console`: a shop as `npx flotilla up` starts it, whose control process is sent 1,000 spans a second by OTLP and finds 2,000 log
 * lines a second in files, beside the telemetry of the shop itself, for ten minutes; all the while it is asked what a console asks. How soon it answers, what
 * memory its process takes, whether anything was lost, and what a client of the shop notices of it: the same requests, before, during and after.
 *
 * With fewer `--seconds` the rest of the ten minutes is laid into the store before the start, so that questions are about as much.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startFleet } from '@flotilla/tests/fleet'
import { showAnswers, slowestP95 } from './answers.mjs'
import { ask, ended, pause, start, until } from './children.mjs'
import { askUntil, observer } from './console-questions.mjs'
import { judge, say, showTable } from './figures.mjs'
import { listenerOf, memoryOf, spentUsOf } from './proc.mjs'

const WHOLE_S = 600
/** A client's requests: a cart, which the gateway does not keep and the database is asked for. */
const PER_SECOND = 100
/** Telemetry that was sent is on the disk after so long at most. */
const SETTLED_MS = 30_000
const LOOK_MS = 250

/** Measures; only the seconds are heeded. */
export async function measureConsole({ seconds }) {
  const cleanUps = []
  try {
    const system = await openSystem(cleanUps, Math.max(0, WHOLE_S - seconds))
    const visitS = Math.min(15, Math.max(5, seconds / 4))
    say('a client, alone')
    await visit(system, visitS)
    const before = await visit(system, visitS)
    say(`load for ${seconds} s`)
    const loaded = await underLoad(system, seconds, visitS)
    say('a client, alone again')
    await pause(3_000)
    const after = await visit(system, visitS)
    say('')
    tell(loaded, [before, after])
  } finally {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp()
    say('')
  }
}

async function openSystem(cleanUps, filledS) {
  const side = () => {
    const child = start('./console-side.mjs')
    cleanUps.push(() => ended(child))
    return child
  }
  const template = mkdtempSync(join(tmpdir(), 'flotilla-bench-console-'))
  cleanUps.push(() => rmSync(template, { recursive: true, force: true }))
  say(`laying in ${filledS} s`)
  await ask(side(), { role: 'fill', folder: join(template, 'telemetry'), seconds: filledS })
  say('starting the shop')
  const shop = await startFleet(
    { after: (cleanUp) => cleanUps.push(cleanUp) },
    { placement: 'fleet', provider: 'instant', template },
  )
  rmSync(template, { recursive: true, force: true })
  const folder = shop.bed.folder
  const secrets = JSON.parse(readFileSync(join(folder, 'secrets.json'), 'utf8'))
  const { url: origin, token } = JSON.parse(readFileSync(join(folder, 'control.json'), 'utf8'))
  const holder = listenerOf(Number(new URL(origin).port))
  if (holder === undefined) throw new Error(`nobody listens at ${origin}`)
  return {
    ...{ shop, origin, holder, logs: join(folder, 'logs'), key: secrets['telemetry key'] },
    ...{ observe: observer(origin, token), client: side(), loader: side() },
  }
}

/** What a client of the shop gets, and what that costs the gateway and the service behind it. */
async function visit({ shop, client }, seconds) {
  const { token } = await shop.login(shop.admin.email, shop.admin.password)
  const pids = shop.processes().filter(({ name }) => name === 'gateway' || name === 'cart')
  const spent = () => pids.reduce((sum, { pid }) => sum + spentUsOf(pid), 0)
  const spentBefore = spent()
  const url = `${shop.origin}/api/v1/cart`
  const result = await ask(client, { role: 'shop', url, token, perSec: PER_SECOND, seconds })
  return { ...result, cpuUs: (spent() - spentBefore) / result.answered }
}

async function underLoad(system, seconds, visitS) {
  const { observe, loader, origin, key, logs, holder } = system
  const stored = await observe('store')
  const memory = watchMemory(holder)
  const begun = { ms: performance.now(), us: spentUsOf(holder) }
  const sending = ask(loader, { role: 'load', origin, key, logs })
  sending.catch(() => {
    // Where something else went wrong: that is told.
  })
  const asking = askUntil(observe, begun.ms + seconds * 1_000)
  // When everything is warm and there is much; the rest of the time the shop's own telemetry is that of a shop at rest.
  await pause(Math.max(0, (seconds - visitS) * 1_000 * 0.7))
  const during = await visit(system, visitS)
  const answersMs = await asking
  const spent = { us: spentUsOf(holder) - begun.us, s: (performance.now() - begun.ms) / 1_000 }
  loader.send({ role: 'stop' })
  const sent = await sending
  const missing = await settled(observe, stored, sent)
  const { dropped } = await observe('store')
  const droppedRows = Object.values(dropped).reduce((sum, count) => sum + count, 0)
  return { answersMs, during, sent, missing, dropped: droppedRows, spent, ...memory.stop() }
}

/** How many rows of those sent are not there in the end. */
async function settled(observe, before, sent) {
  let missing = Number.NaN
  const look = async () => {
    const { spans, logs } = await observe('store')
    missing =
      Math.max(0, sent.spans - (spans - before.spans)) + Math.max(0, sent.lines - (logs - before.logs))
    return missing === 0
  }
  await until('everything is on the disk', look, SETTLED_MS).catch(() => {
    // Then what is missing is told.
  })
  return missing
}

function watchMemory(pid) {
  let rssMax = 0
  let rssPeak = 0
  const timer = setInterval(() => {
    const { rss, peak } = memoryOf(pid)
    // Not a number when it has ended, which whoever asks it will notice.
    rssMax = Math.max(rssMax, rss)
    rssPeak = peak
  }, LOOK_MS)
  timer.unref()
  return {
    stop() {
      clearInterval(timer)
      return { rssMax, rssPeak }
    },
  }
}

function tell({ answersMs, during, sent, missing, dropped, spent, rssMax, rssPeak }, alone) {
  showAnswers(answersMs)
  const mean = (field) => alone.reduce((sum, one) => sum + one[field], 0) / alone.length
  const without = Object.fromEntries(Object.keys(during).map((field) => [field, mean(field)]))
  console.log('')
  showTable(
    [
      `a client, ${PER_SECOND} requests/s`,
      'p50 ms',
      'p99 ms',
      'CPU µs/request of gateway and cart',
      'failed',
    ],
    [
      ['without load (before and after)', without],
      ['with', during],
    ].map(([name, its]) => [
      name,
      ...['p50Ms', 'p99Ms'].map((field) => its[field].toFixed(2)),
      its.cpuUs.toFixed(0),
      String(its.failed),
    ]),
  )
  console.log(
    `\n  sent ${sent.spans} spans and ${sent.lines} lines in ${spent.s.toFixed(0)} s; the process that keeps them took ${(spent.us / spent.s / 1e4).toFixed(0)} % of a core, ` +
      `${(rssPeak / 1e6).toFixed(0)} MB at most since it began\n`,
  )
  judge('slowest question, p95', slowestP95(answersMs), { atMost: 300, unit: 'ms', digits: 0 })
  judge('memory of the process that holds the store', rssMax / 1e6, { atMost: 400, unit: 'MB', digits: 0 })
  judge('rows refused, dropped or missing', sent.refused + dropped + missing, {
    atMost: 0,
    unit: 'rows',
    digits: 0,
  })
  judge('CPU per request, with the load against without', during.cpuUs / without.cpuUs, { atMost: 1.1 })
  judge('p99 of requests, with the load against without', during.p99Ms / without.p99Ms, { atMost: 1.5 })
}
