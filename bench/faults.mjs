/**
 * `npm run bench -- faults [--only chain,bad,kill]`: what callers see while a dependency is dead, one of four instances is ill, and five of ten
 * are killed; each beside a control without the mechanism that is meant to help.
 *
 * Every instance is a process. The caller is this one; it knows the instances from a list that never changes, so that nothing is owed to the
 * registry.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock as clock } from '@flotilla/core/clock'
import { ask, start as startChild } from './children.mjs'
import { contracts } from './faulty.mjs'
import { callContext, createKeys, credentialOf, hostEnvironment, openClient, socketOf } from './hosts.mjs'

const keys = createKeys()
const WARM_S = 4
const AMPLIFICATION_MAX = 1.1

/** Nothing is left alone, made again, sent twice or refused. */
const NO_MECHANISM = {
  balance: { policy: 'round_robin', panicShare: 1 },
  calls: { breaker: false, hedging: false, refuseLate: false },
  retries: { ratio: 0, floorPerSec: 0 },
}

const verdict = (isMet) => (isMet ? 'met' : 'not met')
const percent = (share) => `${(share * 100).toFixed(2)} %`

/**
 * All experiments, or those that `only` names.
 *
 * @returns whether every promise held, and every control broke its own.
 */
export async function measureFaults({ only, seconds }) {
  const experiments = { chain, bad, kill }
  const verdicts = []
  for (const name of only?.split(',') ?? Object.keys(experiments)) {
    verdicts.push(...(await experiments[name](Math.max(10, seconds))))
  }
  const wrong = verdicts.filter((isRight) => !isRight)
  console.log(`${verdicts.length - wrong.length} of ${verdicts.length} verdicts are as promised`)
  return wrong.length === 0
}

/** Opens processes in a folder of their own, and ends them. */
async function withProcesses(work) {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-faults-'))
  const children = []
  const start = async (instance, service, more = {}) => {
    const child = startChild('./faulty.mjs')
    children.push(child)
    const environment = hostEnvironment({ folder, keys, instance, services: [service] })
    await ask(child, { environment: { ...environment, FLOTILLA_LOG_LEVEL: 'silent', ...more } })
    return child
  }
  try {
    return await work(start, folder)
  } finally {
    for (const child of children) child.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A client of one service whose instances are given; calls come evenly. */
function openLoad(folder, service, instances, policies) {
  const { client, metrics } = openClient({
    credential: credentialOf(keys, 'caller', ['caller']),
    policies: { [service]: policies },
    instances: instances.map((instance) => ({ instance, service, path: socketOf(folder, instance) })),
  })
  const context = () => callContext({ deadlineMs: clock.monotonicMs() + 1_000 })
  /** Makes calls for so long; what came of them. */
  const run = async (perSec, seconds) => {
    const startMs = clock.monotonicMs()
    const tally = { calls: 0, failed: 0, tookMs: [] }
    const pending = new Set()
    for (let nowMs = startMs; nowMs < startMs + seconds * 1_000; nowMs = clock.monotonicMs()) {
      for (; tally.calls < ((nowMs - startMs) / 1_000) * perSec; tally.calls++) {
        const sentMs = clock.monotonicMs()
        const one = client
          .calls(contracts[service], context(), 'caller')
          .get({})
          .catch(() => tally.failed++)
          .then(() => {
            tally.tookMs.push(clock.monotonicMs() - sentMs)
            pending.delete(one)
          })
        pending.add(one)
      }
      await clock.sleep(1)
    }
    await Promise.all(pending)
    tally.tookMs.sort((a, b) => a - b)
    return tally
  }
  return { run, metrics, close: () => client.close() }
}

/** This process → hop1 → hop2 → hop3, which fails every call and says that it may be made again. */
async function chain(seconds) {
  console.log(
    'a dead dependency at the end of three hops: calls that the first, second and third get for each call made',
  )
  const budgetOnly = { calls: { breaker: false } }
  const control = { calls: { breaker: false }, retries: { ratio: 2, floorPerSec: 1_000 } }
  const rows = [
    ['as shipped', {}, true],
    ['without breaker', budgetOnly, true],
    ['control: without breaker and budget', control, false],
  ]
  const verdicts = []
  for (const [name, policies, isPromised] of rows) {
    const factors = await amplification(policies, seconds)
    const isMet = Math.max(...factors) <= AMPLIFICATION_MAX
    const shown = factors.map((factor) => factor.toFixed(3)).join(', ')
    console.log(`  ${name.padEnd(36)} ${shown}  at most ${AMPLIFICATION_MAX}: ${verdict(isMet)}`)
    verdicts.push(isMet === isPromised)
  }
  return verdicts
}

function amplification(policies, seconds) {
  return withProcesses(async (start, folder) => {
    const path = join(folder, 'policies.json')
    const services = Object.fromEntries(['hop1', 'hop2', 'hop3'].map((name) => [name, policies]))
    writeFileSync(path, JSON.stringify({ services }))
    await start('registry', 'registry')
    const more = { FLOTILLA_REGISTRY: `unix:${socketOf(folder, 'registry')}`, FLOTILLA_POLICIES: path }
    const hops = []
    for (const name of ['hop3', 'hop2', 'hop1']) hops.unshift(await start(name, name, more))
    const load = openLoad(folder, 'hop1', ['hop1'], policies)
    await load.run(200, WARM_S)
    await ask(hops[2], { behaviour: { failedShare: 1, code: 'unavailable' } })
    const before = await Promise.all(hops.map((hop) => ask(hop, {})))
    const { calls } = await load.run(200, seconds)
    const after = await Promise.all(hops.map((hop) => ask(hop, {})))
    await load.close()
    return after.map(({ received }, index) => (received - before[index].received) / calls)
  })
}

const ILLS = {
  'slow, 200 ms more': { latencyMs: 204 },
  'fails every call': { failedShare: 1 },
  'fails every other call': { failedShare: 0.5 },
  'fails at once': { failedShare: 1, latencyMs: 0 },
  hangs: { isHanging: true },
}

/** One of four instances becomes ill. */
async function bad(seconds) {
  console.log('one of four instances ill: failures seen, its share of calls after 2 s, p99')
  const verdicts = []
  for (const [name, behaviour] of Object.entries(ILLS)) {
    console.log(`  ${name}`)
    for (const [side, policies, isPromised] of [
      ['as shipped', {}, true],
      ['control', NO_MECHANISM, false],
    ]) {
      const { failedShare, toItShare, p99Ms } = await illness(policies, behaviour, seconds)
      const isMet = failedShare <= 0.001 && toItShare <= 0.05
      const shown = `${percent(failedShare).padStart(8)} ${percent(toItShare).padStart(8)} ${p99Ms.toFixed(0).padStart(6)} ms`
      console.log(`    ${side.padEnd(11)} ${shown}  at most 0.10 % and 5 %: ${verdict(isMet)}`)
      verdicts.push(isMet === isPromised)
    }
  }
  return verdicts
}

function illness(policies, behaviour, seconds) {
  const names = ['target-1', 'target-2', 'target-3', 'target-4']
  return withProcesses(async (start, folder) => {
    const children = await Promise.all(names.map((name) => start(name, 'target')))
    for (const child of children) await ask(child, { behaviour: { latencyMs: 4 } })
    const load = openLoad(folder, 'target', names, policies)
    await load.run(500, WARM_S)
    await ask(children[0], { behaviour })
    const first = await load.run(500, 2)
    const before = await ask(children[0], {})
    const then = await load.run(500, seconds)
    const after = await ask(children[0], {})
    await load.close()
    const tookMs = [...first.tookMs, ...then.tookMs].sort((a, b) => a - b)
    return {
      failedShare: (first.failed + then.failed) / (first.calls + then.calls),
      toItShare: (after.received - before.received) / then.calls,
      p99Ms: tookMs[Math.floor(tookMs.length * 0.99)],
    }
  })
}

/** Five of ten instances are killed while 200 calls are on their way. */
async function kill() {
  console.log(
    'kill -9 of five of ten instances, 1,000 calls/s of 200 ms: failures of the five seconds after it',
  )
  const verdicts = []
  for (const [side, policies, isPromised] of [
    ['as shipped', {}, true],
    ['control', NO_MECHANISM, false],
  ]) {
    const failedShare = await killing(policies)
    console.log(
      `  ${side.padEnd(11)} ${percent(failedShare).padStart(8)}  below 1 %: ${verdict(failedShare < 0.01)}`,
    )
    verdicts.push(failedShare < 0.01 === isPromised)
  }
  return verdicts
}

function killing(policies) {
  const names = Array.from({ length: 10 }, (_, index) => `target-${index + 1}`)
  return withProcesses(async (start, folder) => {
    const children = []
    for (const name of names) children.push(await start(name, 'target'))
    for (const child of children) await ask(child, { behaviour: { latencyMs: 200 } })
    const load = openLoad(folder, 'target', names, policies)
    await load.run(1_000, WARM_S)
    const running = load.run(1_000, 5.5)
    await clock.sleep(500)
    for (const child of children.slice(0, 5)) child.kill('SIGKILL')
    const { calls, failed } = await running
    await load.close()
    return failed / (calls * (5 / 5.5))
  })
}
