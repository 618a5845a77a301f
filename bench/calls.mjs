/**
 * `npm run bench -- calls|local`: a call between two processes, and inside one; ours with everything that is on by default, peers as
 * they come. The peers' own files (`peers/`) say what is on.
 *
 * @module
 */
import { answer, ask, ended, MEASURED_CORE, OTHER_CORE, start } from './children.mjs'
import { chosen, judge, showTable, takeTurns } from './figures.mjs'

const CALLEES = ['flotilla', 'moleculer', 'nest', 'fastify', 'grpc']
const LOCAL = ['flotilla', 'moleculer']
const IN_FLIGHT = [1, 32, 256]
const WARM_MS = 1_000

/** Calls between two processes; `only` names peers. */
export async function measureCalls({ seconds, repeats, only }) {
  const peers = chosen(only, CALLEES)
  const figures = await takeTurns(peers, repeats, (peer) => callsOf(peer, seconds * 1_000))
  for (const inFlight of IN_FLIGHT) {
    const of = (peer, field) => figures.median(`${peer} ${inFlight}`, field)
    showTable(
      [
        `${inFlight} in flight`,
        'calls/s',
        'x Moleculer',
        'p50 µs',
        'p99 µs',
        'CPU µs: client + server',
        'failed',
      ],
      peers.map((peer) => [
        peer,
        of(peer, 'perSec').toFixed(0),
        (of(peer, 'perSec') / of('moleculer', 'perSec')).toFixed(2),
        of(peer, 'p50Us').toFixed(0),
        of(peer, 'p99Us').toFixed(0),
        `${of(peer, 'cpuUs').toFixed(1)} + ${of(peer, 'serverCpuUs').toFixed(1)}`,
        String(of(peer, 'failed')),
      ]),
    )
  }
  const ratio = (peer, inFlight, field) =>
    figures.median(`flotilla ${inFlight}`, field) / figures.median(`${peer} ${inFlight}`, field)
  const goals = { moleculer: ['Moleculer TCP', 2], grpc: ['grpc-js', 14], fastify: ['undici + fastify', 3] }
  for (const [peer, [title, atLeast]] of Object.entries(goals))
    judge(`32 in flight, calls/s against ${title}`, ratio(peer, 32, 'perSec'), { atLeast })
  judge('1 in flight, p50 against Moleculer TCP', ratio('moleculer', 1, 'p50Us'), { atMost: 0.85 })
}

/** One pair of processes, all numbers in flight. */
async function callsOf(peer, durationMs) {
  const server = start('./side.mjs', { args: ['server', peer], core: MEASURED_CORE })
  const client = start('./side.mjs', { args: ['client', peer], core: OTHER_CORE })
  try {
    const { address } = await answer(server)
    const results = []
    for (const inFlight of IN_FLIGHT) {
      await ask(client, { address, inFlight, durationMs: WARM_MS })
      await ask(server, {})
      const result = await ask(client, { address, inFlight, durationMs })
      const { cpuUs } = await ask(server, {})
      results.push([`${peer} ${inFlight}`, { ...result, serverCpuUs: cpuUs / result.calls }])
    }
    return results
  } finally {
    await Promise.all([ended(client), ended(server)])
  }
}

/** Calls inside one process; `only` names peers. */
export async function measureLocal({ seconds, repeats, only }) {
  const peers = chosen(only, LOCAL)
  const figures = await takeTurns(peers, repeats, async (peer) => {
    const child = start('./side.mjs', { args: ['local', peer], core: MEASURED_CORE })
    try {
      return [[peer, await ask(child, { durationMs: seconds * 1_000 })]]
    } finally {
      await ended(child)
    }
  })
  const ratio = (peer) => figures.median(peer, 'perSec') / figures.median('moleculer', 'perSec')
  showTable(
    ['one after the other', 'calls/s', 'µs', 'CPU µs', 'x Moleculer'],
    peers.map((peer) => [
      peer,
      figures.median(peer, 'perSec').toFixed(0),
      (1e6 / figures.median(peer, 'perSec')).toFixed(2),
      figures.median(peer, 'cpuUs').toFixed(2),
      ratio(peer).toFixed(2),
    ]),
  )
  judge('calls/s in one process against Moleculer', ratio('flotilla'), { atLeast: 1 })
}
