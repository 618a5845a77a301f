/**
 * `npm run bench -- shed [--seconds N] [--only pool,compute]`: what is left of a service under ten times the load it can answer,
 * beside the same with adaptive admission switched off (`FLOTILLA_ADMISSION=fixed`).
 *
 * Two processes, one on each core. The load is open: calls come at their rate whatever becomes of them, nothing is tried again,
 * and what is answered after a second does not count. Two kinds of work: `pool` waits for one of four connections, each of which
 * takes 5 ms; `compute` keeps the processor busy for half a millisecond.
 *
 * Phases: the peak (64 calls at a time), 0.8 of it, ten times of it, 0.8 again. CPU time per refused call is what the overload
 * cost beyond the calls that it answered, at what one cost at the peak.
 *
 * @module
 */
import { fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

const SIDE = fileURLToPath(new URL('./shed-side.mjs', import.meta.url))
const KINDS = 'pool,compute'
const OVERLOAD = 10
const LIGHT = 0.8
/** As long as the promise to be back allows. */
const AFTER_S = 10
const WARM_MS = 3_000

/** Both admissions, both kinds of work. */
export async function measureShedding({ seconds, repeats, only = KINDS }) {
  for (const kind of only.split(',')) {
    for (let repeat = 1; repeat <= repeats; repeat++) {
      console.log(`${kind}, repeat ${repeat} of ${repeats}`)
      for (const admission of ['adaptive', 'fixed']) console.log(await measure(kind, admission, seconds))
    }
  }
}

async function measure(kind, admission, seconds) {
  const server = side('server', 1, { BENCH_ADMISSION: admission })
  const load = side('load', 0, {})
  try {
    const { address } = await answer(server)
    /** What became of the calls, and the server's CPU time in microseconds. */
    const run = async (options) => {
      await ask(server, {})
      const result = await ask(load, { address, kind, ...options })
      return { ...result, ...(await ask(server, {})) }
    }
    await run({ inFlight: 64, durationMs: WARM_MS })
    const peak = await run({ inFlight: 64, durationMs: seconds * 1_000 })
    const perSec = peak.good / seconds
    const light = await run({ perSec: perSec * LIGHT, durationMs: seconds * 1_000 })
    const over = await run({ perSec: perSec * OVERLOAD, durationMs: seconds * 1_000 })
    const after = await run({ perSec: perSec * LIGHT, durationMs: AFTER_S * 1_000 })
    const servedUs = peak.cpuUs / peak.good
    const answered = over.good + over.late
    const refusedUs = (over.cpuUs - answered * servedUs) / over.refused
    const back = after.buckets.findIndex((good) => good >= 0.95 * perSec * LIGHT * (after.bucketMs / 1_000))
    return [
      `  ${admission.padEnd(8)} peak ${perSec.toFixed(0)}/s; at ${LIGHT} of it p99 ${light.p99Ms.toFixed(1)} ms`,
      `           ${OVERLOAD} x: goodput ${percent(over.good / seconds / perSec)} of the peak, p99 of what was answered ${over.p99Ms.toFixed(1)} ms; ${over.refused} refused, ${over.late} late, ${over.lost} not sent`,
      `           CPU of a call: answered ${servedUs.toFixed(0)} µs, refused ${over.refused === 0 ? '-' : `${refusedUs.toFixed(1)} µs (${percent(refusedUs / servedUs)})`}`,
      `           after: 95 % again ${back < 0 ? `not within ${AFTER_S} s` : `within ${(((back + 1) * after.bucketMs) / 1_000).toFixed(2)} s`}`,
    ].join('\n')
  } finally {
    server.kill()
    load.kill()
  }
}

const percent = (share) => `${(share * 100).toFixed(1)} %`

function side(role, core, environment) {
  const isPinned = process.platform === 'linux' && cpus().length > 1 && existsSync('/usr/bin/taskset')
  const options = isPinned
    ? { execPath: '/usr/bin/taskset', execArgv: ['-c', String(core), process.execPath] }
    : {}
  return fork(SIDE, [role], {
    ...options,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

function answer(child) {
  return new Promise((resolve, reject) => {
    const onExit = (code) => reject(new Error(`a side ended with ${code}`))
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      resolve(message)
    })
  })
}

function ask(child, message) {
  const answered = answer(child)
  child.send(message)
  return answered
}
