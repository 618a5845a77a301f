/**
 * `npm run bench -- observing`: what telemetry as it is on by default costs the services and the gateway, in CPU time for a request.
 *
 * Two of everything run at the same time, one as it comes and one with telemetry off (`observing-sides.mjs` says what that is). A *pair* is four pieces of a
 * second of each, now one first and now the other, so that what the machine does besides shifts both alike, and gives one difference.
 * The median of the differences counts, beside the bounds between which it lies with 95 % certainty. How code happens to be compiled and
 * laid out in memory differs from process to process by some percent, for as long as it lives: so pairs are of several processes.
 *
 * Fleets are measured one after the other: beside another fleet one does half as much, and what it does by the clock (to send spans, to be asked for
 * metrics) would count twice for each order. A pair is twenty seconds of each.
 *
 * CPU time is that of all processes which run services, by the kernel's nanoseconds. Metrics are fetched once in each pair, which is about as often as the
 * control process does.
 *
 * @module
 */
import { hasPrograms } from './children.mjs'
import { chosen, judge, medianWithSpread, say, showTable } from './figures.mjs'
import { openAccessLogSide, openCallsSide, openGatewaySide, openOrdersSide } from './observing-sides.mjs'

const PERCENT_MAX = 5
const SIDES = ['on', 'off']
const WORKLOADS = {
  gateway: {
    ...{ open: openGatewaySide, rounds: 4, pieces: 4, pieceS: 1 },
    about: 'request through the gateway, 64 connections',
  },
  'access-log': {
    ...{ open: openAccessLogSide, rounds: 4, pieces: 4, pieceS: 1 },
    about: 'the same, access log alone',
  },
  calls: {
    ...{ open: openCallsSide, rounds: 4, pieces: 4, pieceS: 1 },
    about: 'call between two processes, 32 in flight',
  },
  // A fleet has so many processes that their luck is about the same. Orders are a few in a second.
  orders: {
    ...{ open: openOrdersSide, rounds: 4, pieces: 4, pieceS: 5, isAlone: true },
    about: 'order of the shop, as a fleet, 8 buyers',
  },
}

/** Measures; `repeats` are pairs, `seconds` stretches all pieces, `only` names workloads. */
export async function measureObserving({ seconds, repeats, only }) {
  for (const name of chosen(only, Object.keys(WORKLOADS))) {
    const { rounds, about, ...workload } = WORKLOADS[name]
    if (['gateway', 'access-log'].includes(name) && !hasPrograms(name, 'wrk')) continue
    const pairs = []
    for (let round = 1; round <= rounds; round++) {
      const told = `${name}, round ${round} of ${rounds}`
      const count = Math.ceil(repeats / rounds)
      const order = round % 2 === 0 ? SIDES : SIDES.toReversed()
      const done = await roundOf({ ...workload, told, order, stretch: seconds }, count)
      pairs.push(...done.map((pair) => ({ ...pair, round })))
    }
    show(about, pairs)
  }
}

/** A pair of systems, at the same time or one after the other, and what came of their pieces. */
async function roundOf({ isAlone = false, ...workload }, count) {
  if (!isAlone) return pairsOf(workload, SIDES, count)
  const pairs = Array.from({ length: count }, () => ({}))
  for (const side of workload.order)
    for (const [index, done] of (await pairsOf(workload, [side], count)).entries())
      Object.assign(pairs[index], done)
  return pairs
}

async function pairsOf({ open, pieces, pieceS, told, stretch }, names, count) {
  const cleanUps = []
  try {
    const sides = {}
    for (const side of names) {
      say(`${told}: starting ${side}`)
      sides[side] = await open(side === 'on', cleanUps)
      await sides[side].warm()
    }
    const pairs = []
    for (let pair = 1; pair <= count; pair++) {
      say(`${told}: ${names.join(' and ')}, pair ${pair} of ${count}`)
      const done = Object.fromEntries(names.map((side) => [side, []]))
      for (let piece = 0; piece < pieces; piece++) {
        for (const side of (pair + piece) % 2 === 0 ? names : names.toReversed())
          done[side].push(await sides[side].piece(pieceS * stretch, piece === 0))
      }
      pairs.push(Object.fromEntries(names.map((side) => [side, joined(done[side])])))
    }
    return pairs
  } finally {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp()
    say('')
  }
}

/** Pieces as one: microseconds for a request by process, and what else was seen, on average. */
function joined(pieces) {
  const sum = (of) => pieces.reduce((all, piece) => all + of(piece), 0)
  const over = (field, divisor) =>
    Object.fromEntries(
      Object.keys(pieces[0][field]).map((name) => [name, sum((piece) => piece[field][name]) / divisor]),
    )
  const count = sum((piece) => piece.count)
  const us = over('spentUs', count)
  const all = Object.values(us).reduce((one, other) => one + other, 0)
  return { us: { ...us, all }, besides: over('besides', pieces.length), failed: sum(({ failed }) => failed) }
}

function show(about, pairs) {
  const more = (name) => pairs.map(({ on, off }) => (on.us[name] / off.us[name] - 1) * 100)
  const middle = (side, of) => medianWithSpread(pairs.map((pair) => of(pair[side]))).median
  const names = Object.keys(pairs[0].on.us)
  showTable(
    [about, 'CPU µs off', 'on', 'more', 'between'],
    names.map((name) => {
      const { median, low, high } = medianWithSpread(more(name))
      const us = SIDES.toReversed().map((side) => middle(side, (its) => its.us[name]).toFixed(1))
      return [name, ...us, signed(median), `${signed(low)} to ${signed(high)}`]
    }),
  )
  for (const what of Object.keys(pairs[0].on.besides)) {
    const [off, on] = SIDES.toReversed().map((side) =>
      middle(side, (its) => its.besides[what]).toPrecision(3),
    )
    console.log(`  ${what}: ${off} off, ${on} on`)
  }
  const rounds = [...new Set(pairs.map(({ round }) => round))]
  const ofRounds = rounds.map((round) => {
    const values = more('all').filter((_, index) => pairs[index].round === round)
    return signed(medianWithSpread(values).median)
  })
  if (rounds.length > 1) console.log(`  by pair of processes: ${ofRounds.join(', ')}`)
  const failed = pairs.reduce((all, { on, off }) => all + on.failed + off.failed, 0)
  if (failed > 0) console.log(`  ${failed} failed: the comparison says nothing`)
  const { median } = medianWithSpread(failed > 0 ? [] : more('all'))
  judge(`CPU that telemetry takes, ${about}`, median, { atMost: PERCENT_MAX, unit: '%', digits: 1 })
}

function signed(percent) {
  return `${percent < 0 ? '−' : '+'}${Math.abs(percent).toFixed(1)} %`
}
