/**
 * `npm run bench -- observing`: what telemetry as it is on by default costs the services and the gateway, in CPU time for a request.
 *
 * Two of everything run at the same time, one as it comes and one with telemetry off (`observing-sides.mjs` says what that is). A *pair* is four pieces of a
 * second of each (two of five seconds with orders), now one first and now the other, so that what the machine does besides shifts both alike, and gives one difference.
 * The median of the differences counts, beside the bounds between which it lies with 95 % certainty. How code happens to be compiled and
 * laid out in memory differs from process to process by some percent, for as long as it lives: so pairs are of several processes.
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
  // A fleet takes long to start, and has so many processes that their luck is about the same. Orders are a few in a second.
  orders: {
    ...{ open: openOrdersSide, rounds: 1, pieces: 2, pieceS: 5 },
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
      pairs.push(
        ...(await roundOf({ ...workload, told, stretch: seconds }, count)).map((pair) => ({
          ...pair,
          round,
        })),
      )
    }
    show(about, pairs)
  }
}

/** A pair of systems, and what came of their pieces. */
async function roundOf({ open, pieces, pieceS, told, stretch }, count) {
  const cleanUps = []
  try {
    const sides = {}
    for (const side of SIDES) {
      say(`${told}: starting`)
      sides[side] = await open(side === 'on', cleanUps)
      await sides[side].warm()
    }
    const pairs = []
    for (let pair = 1; pair <= count; pair++) {
      say(`${told}: pair ${pair} of ${count}`)
      const done = { on: [], off: [] }
      for (let piece = 0; piece < pieces; piece++) {
        for (const side of (pair + piece) % 2 === 0 ? SIDES : SIDES.toReversed())
          done[side].push(await sides[side].piece(pieceS * stretch, piece === 0))
      }
      pairs.push({ on: joined(done.on), off: joined(done.off) })
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
