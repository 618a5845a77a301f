/**
 * `npm run bench -- observing`: what telemetry as it is on by default costs the services and the gateway, in CPU time for a request.
 *
 * Two of everything run at the same time, one as it comes and one with telemetry off (`observing-sides.mjs` says what that is), and take turns of
 * a second, now one first and now the other: a pair of turns gives one difference, and what the machine does besides shifts both of a pair alike.
 * The median of the differences counts, beside the bounds between which it lies with 95 % certainty. How code happens to be compiled and laid out in memory
 * differs from process to process by some percent, for as long as it lives: so half of the pairs are of fresh processes.
 *
 * CPU time is that of all processes which run services, by the kernel's nanoseconds.
 *
 * @module
 */
import { hasPrograms } from './children.mjs'
import { chosen, judge, medianWithSpread, say, showTable } from './figures.mjs'
import { openCallsSide, openGatewaySide, openOrdersSide } from './observing-sides.mjs'

const PERCENT_MAX = 5
const WORKLOADS = {
  gateway: { open: openGatewaySide, rounds: 2, about: 'request through the gateway, 64 connections' },
  calls: { open: openCallsSide, rounds: 2, about: 'call between two processes, 32 in flight' },
  // A fleet takes long to start, and has so many processes that their luck is about the same.
  orders: { open: openOrdersSide, rounds: 1, about: 'order of the shop, as a fleet, 8 buyers' },
}

/** Measures; `repeats` are pairs of turns, `only` names workloads. */
export async function measureObserving({ seconds, repeats, only }) {
  for (const name of chosen(only, Object.keys(WORKLOADS))) {
    const { open, rounds, about } = WORKLOADS[name]
    if (name === 'gateway' && !hasPrograms('gateway', 'wrk')) continue
    const pairs = []
    for (let round = 1; round <= rounds; round++)
      pairs.push(...(await roundOf(name, open, { round, pairs: Math.ceil(repeats / rounds), seconds })))
    show(about, pairs)
  }
}

/** A pair of systems, and what their turns gave. */
async function roundOf(name, open, { round, pairs, seconds }) {
  const cleanUps = []
  try {
    const sides = {}
    for (const side of ['on', 'off']) {
      say(`${name}, round ${round}: starting the side that is ${side}`)
      sides[side] = await open(side === 'on', cleanUps)
    }
    for (const side of ['on', 'off']) await sides[side].warm()
    const all = []
    for (let pair = 0; pair < pairs; pair++) {
      say(`${name}, round ${round}: pair ${pair + 1} of ${pairs}`)
      const turns = { round }
      for (const side of pair % 2 === 0 ? ['on', 'off'] : ['off', 'on'])
        turns[side] = await sides[side].turn(seconds)
      all.push(turns)
    }
    return all
  } finally {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp()
    say('')
  }
}

function show(about, pairs) {
  const middle = (side, of) => medianWithSpread(pairs.map((pair) => of(pair[side]))).median
  const sum = ({ parts }) => Object.values(parts).reduce((all, us) => all + us, 0)
  const percent = (of) => pairs.map(({ on, off }) => (of(on) / of(off) - 1) * 100)
  const told = (values) => {
    const { median, low, high } = medianWithSpread(values)
    return [signed(median), `${signed(low)} to ${signed(high)}`]
  }
  const names = Object.keys(pairs[0].on.parts)
  const line = (name, of) => [
    name,
    ...['off', 'on'].map((side) => middle(side, of).toFixed(1)),
    ...told(percent(of)),
  ]
  showTable(
    [about, 'CPU µs off', 'on', 'more', 'between'],
    [
      ...(names.length > 1 && names.length < 5
        ? names.map((name) => line(name, ({ parts }) => parts[name]))
        : []),
      line('all', sum),
    ],
  )
  for (const [what, of] of Object.entries(pairs[0].on.besides ?? {}))
    console.log(
      `  ${what}: ${middle('off', ({ besides }) => besides[what]).toFixed(of < 10 ? 2 : 0)} off, ${middle('on', ({ besides }) => besides[what]).toFixed(of < 10 ? 2 : 0)} on`,
    )
  const rounds = [...new Set(pairs.map(({ round }) => round))]
  const ofRounds = rounds.map((round) => {
    const its = pairs.filter((pair) => pair.round === round)
    return signed(medianWithSpread(its.map(({ on, off }) => (sum(on) / sum(off) - 1) * 100)).median)
  })
  if (rounds.length > 1) console.log(`  by pair of processes: ${ofRounds.join(', ')}`)
  const failed = pairs.reduce((all, { on, off }) => all + on.failed + off.failed, 0)
  if (failed > 0) console.log(`  ${failed} failed: the comparison says nothing`)
  const more = failed > 0 ? Number.NaN : medianWithSpread(percent(sum)).median
  judge(`CPU that telemetry takes, ${about}`, more, { atMost: PERCENT_MAX, unit: '%', digits: 1 })
}

function signed(percent) {
  return `${percent < 0 ? '−' : '+'}${Math.abs(percent).toFixed(1)} %`
}
