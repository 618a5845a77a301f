/**
 * `npm run bench -- overload [--seconds 60] [--repeats 1] [--only ten,classes]`: what is left of a service that is asked for more than it
 * can answer. Prints a verdict for each promise, beside the same load without the mechanism, which must break it.
 *
 * - `ten`: ten times the peak for `--seconds` (a minute). What is answered in time stays above 0.9 of the peak; within ten seconds of the
 *   load's fall to 0.8 of the peak all is well again; memory stays within 1.3 times what it was; a refusal costs at most a
 *   twentieth of an answer that took 2 ms. Without: every call is let in (`FLOTILLA_ADMISSION=fixed`, room for all).
 * - `classes`: three times the peak, a seventh of it checkouts (`critical_plus`), which alone would fit, the rest browsing
 *   (`sheddable`). 99.4 % of the checkouts are answered in time. Without: all are in one class.
 *
 * The load is open: calls come at their rate whatever becomes of them, nothing is tried again, and what is answered after a
 * second does not count. Load and service are processes of their own, each pinned to a core. Two kinds of work: `pool` waits for
 * one of four connections, each of which takes 5 ms; `compute` keeps the processor busy for 2 ms, about what a call costs on
 * the way of an order (docs/decisions/0022-cost-of-an-order.md).
 *
 * @module
 */
import { loadavg } from 'node:os'
import { answer, ask, MEASURED_CORE, OTHER_CORE, start } from './children.mjs'

const KINDS = ['pool', 'compute']
const EXPERIMENTS = { ten: measureTen, classes: measureClasses }
const WITHOUT_ADMISSION = { FLOTILLA_ADMISSION: 'fixed', FLOTILLA_CONCURRENCY_MAX: '10000' }

const WARM_MS = 3_000
/** As long as the promise to be well again allows. */
const AFTER_MS = 10_000
/** Enough to keep either kind of work busy, and too few to make anything late. */
const IN_FLIGHT = 16
const LIGHT = 0.8
const CHECKOUTS = 3 / 7
const BROWSING = 3 - CHECKOUTS

/** @returns whether every promise held, and every control broke its own. */
export async function measureOverload({ seconds, repeats, only }) {
  console.log(`load of the machine before: ${loadavg()[0].toFixed(2)}\n`)
  const names = only?.split(',') ?? Object.keys(EXPERIMENTS)
  const verdicts = []
  for (const name of names)
    for (const kind of KINDS)
      for (let repeat = 0; repeat < repeats; repeat++)
        verdicts.push(...(await EXPERIMENTS[name](kind, seconds * 1_000)))
  const wrong = verdicts.filter(({ isRight }) => !isRight)
  console.log(`${verdicts.length - wrong.length} of ${verdicts.length} verdicts are as promised`)
  return wrong.length === 0
}

async function measureTen(kind, durationMs) {
  console.log(`ten times the peak, ${kind}`)
  const withIt = await runTen(kind, durationMs, {})
  const without = await runTen(kind, durationMs, WITHOUT_ADMISSION)
  showTen('adaptive', withIt)
  showTen('without admission', without)
  const verdicts = [
    verdict('goodput of the peak', of(withIt.goodput, without.goodput), (share) => share >= 0.9, percent),
    verdict('well again after', of(withIt.backS, without.backS), (s) => s <= AFTER_MS / 1_000, inSeconds),
    verdict(
      'memory, of that at 0.8',
      of(withIt.memory, without.memory),
      (share) => share <= 1.3,
      percent,
      'any',
    ),
  ]
  if (kind === 'compute') {
    const refusal = of(withIt.refusal, Number.NaN)
    verdicts.push(verdict('CPU of a refusal', refusal, (share) => share <= 0.05, percent, 'none'))
  }
  console.log()
  return verdicts
}

async function runTen(kind, durationMs, environment) {
  const load = (share, forMs) => (perSec) => ({
    durationMs: forMs,
    flows: [{ name: 'all', criticality: 'critical', perSec: share * perSec }],
  })
  const { peakPerSec, servedUs, phases } = await run(kind, environment, durationMs, [
    load(LIGHT, Math.min(durationMs, AFTER_MS)),
    load(10, durationMs),
    load(LIGHT, AFTER_MS),
  ])
  const [light, over, after] = phases.map(({ flows, ...rest }) => ({ ...flows.all, ...rest }))
  const enough = 0.95 * LIGHT * peakPerSec * (after.bucketMs / 1_000)
  const back = after.buckets.findIndex((good) => good >= enough)
  const refusedUs = (over.cpuUs - (over.good + over.late) * servedUs) / over.refused
  return {
    peakPerSec,
    servedUs,
    refusedUs,
    light,
    over,
    goodput: perSecOf(over, durationMs) / peakPerSec,
    backS: back < 0 ? Number.POSITIVE_INFINITY : ((back + 1) * after.bucketMs) / 1_000,
    memory: over.rssBytes / light.rssBytes,
    refusal: refusedUs / servedUs,
  }
}

function showTen(name, { peakPerSec, servedUs, refusedUs, light, over }) {
  const refused =
    // What is answered too late costs anything: then nothing is left to tell a refusal's share by.
    over.refused < over.good || over.late > over.good
      ? 'a refusal cannot be told'
      : `refused ${refusedUs.toFixed(1)} µs, told within ${ms(over.refusedP99Ms)} (p99)`
  console.log(
    [
      `  ${name}: peak ${peakPerSec.toFixed(0)}/s; p99 of the answered ${ms(light.p99Ms)} at ${LIGHT}, ${ms(over.p99Ms)} at ten times`,
      `    ${over.good} in time, ${over.late} late, ${over.refused} refused, ${over.lost} not sent`,
      `    CPU: answered ${servedUs.toFixed(0)} µs, ${refused}; memory ${(over.rssBytes / 2 ** 20).toFixed(0)} MiB`,
    ].join('\n'),
  )
}

async function measureClasses(kind, durationMs) {
  console.log(`three times the peak, a seventh of it checkouts, ${kind}`)
  const withIt = await runClasses(kind, durationMs, 'critical_plus', 'sheddable')
  const without = await runClasses(kind, durationMs, 'critical', 'critical')
  console.log(`  with classes: ${shares(withIt)}\n  without: ${shares(without)}`)
  const answered = of(withIt.checkouts, without.checkouts)
  const verdicts = [verdict('checkouts answered', answered, (share) => share >= 0.994, percent)]
  console.log()
  return verdicts
}

async function runClasses(kind, durationMs, ofCheckouts, ofBrowsing) {
  const load = (perSec) => ({
    durationMs,
    flows: [
      { name: 'checkouts', criticality: ofCheckouts, perSec: CHECKOUTS * perSec },
      { name: 'browsing', criticality: ofBrowsing, perSec: BROWSING * perSec },
    ],
  })
  const { peakPerSec, phases } = await run(kind, {}, durationMs, [load])
  const { checkouts, browsing } = phases[0].flows
  return {
    checkouts: checkouts.good / checkouts.sent,
    browsing: browsing.good / browsing.sent,
    goodput: (perSecOf(checkouts, durationMs) + perSecOf(browsing, durationMs)) / peakPerSec,
  }
}

const shares = ({ checkouts, browsing, goodput }) =>
  `checkouts ${percent(checkouts)}, browsing ${percent(browsing)} of what was asked; together ${percent(goodput)} of the peak`

/**
 * Says whether the promise holds; and the control has to break it, unless `control` says `any` (it need not) or `none` (there is
 * none).
 */
function verdict(what, { withIt, without }, holds, show, control = 'breaks') {
  const isKept = holds(withIt)
  const isBroken = control !== 'breaks' || !holds(without)
  const beside = control === 'none' ? '' : `; without: ${show(without)}`
  const why = isKept && !isBroken ? ' (the control should have broken it)' : ''
  console.log(`  ${isKept && isBroken ? 'PASS' : 'FAIL'} ${what}: ${show(withIt)}${beside}${why}`)
  return { isRight: isKept && isBroken }
}

const perSecOf = ({ good }, durationMs) => good / (durationMs / 1_000)
const of = (withIt, without) => ({ withIt, without })
const percent = (share) => `${(share * 100).toFixed(1)} %`
const inSeconds = (s) =>
  s === Number.POSITIVE_INFINITY ? `not within ${AFTER_MS / 1_000} s` : `${s.toFixed(2)} s`
/** `null` is what becomes of a number that is none on its way between processes: there was nothing to measure. */
const ms = (value) => (value === null ? '-' : `${value.toFixed(1)} ms`)

/** Fresh processes: warms them, finds the peak, then the `phases`, one right after the other. */
async function run(kind, environment, durationMs, phasesOf) {
  const peakMs = Math.min(durationMs, AFTER_MS)
  const server = start('./overload-side.mjs', { args: ['server'], core: MEASURED_CORE, env: environment })
  const load = start('./overload-side.mjs', { args: ['load'], core: OTHER_CORE })
  try {
    const { address } = await answer(server)
    await ask(load, { address, kind, inFlight: IN_FLIGHT, durationMs: WARM_MS })
    const peak = await ask(load, { kind, inFlight: IN_FLIGHT, durationMs: peakMs })
    const peakPerSec = perSecOf(peak, peakMs)
    const phases = await ask(load, { kind, phases: phasesOf.map((phaseOf) => phaseOf(peakPerSec)) })
    const samples = await ask(server, {})
    return {
      peakPerSec,
      servedUs: usage(samples, peak).cpuUs / peak.good,
      phases: phases.map((phase) => ({ ...phase, ...usage(samples, phase) })),
    }
  } finally {
    server.kill()
    load.kill()
  }
}

/** What the service took from `fromMs` to `toMs`. */
function usage(samples, { fromMs, toMs }) {
  // From the sample before to the one after: a loop that is very late takes none for many seconds.
  const start = Math.max(
    0,
    samples.findLastIndex(({ atMs }) => atMs <= fromMs),
  )
  const end = samples.findIndex(({ atMs }) => atMs >= toMs)
  const its = samples.slice(start, end < 0 ? undefined : end + 1)
  const [first, last] = [its[0], its.at(-1)]
  const cpuUs = ((last.cpuUs - first.cpuUs) * (toMs - fromMs)) / (last.atMs - first.atMs)
  return { cpuUs, rssBytes: Math.max(...its.map(({ rssBytes }) => rssBytes)) }
}
