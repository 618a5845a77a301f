/**
 * HTTP fronts one after the other: each is opened, looked at, warmed and loaded by wrk, at several numbers of connections.
 *
 * The front has one core; wrk and what stands behind have the other. Where one core is not enough for these two, requests per second
 * tell more of them than of what is measured: the CPU time of a request does not depend on them, and its inverse is what one core
 * could do. Goals are held against that.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { OTHER_CORE, pinned, until } from './children.mjs'
import { showTable, takeTurns } from './figures.mjs'
import { body } from './gateway-app.mjs'
import { cpuOf } from './proc.mjs'

const WARM = { connections: 64, seconds: 2 }
const run = promisify(execFile)

/** The side that the others are held against. */
export const OURS = 'flotilla'

/**
 * Measures.
 *
 * @param fronts by name, what opens it in a folder: its URL, the header fields to send, the processes that are measured, how to close it
 */
export function loadFronts(fronts, names, { connections, seconds, repeats }) {
  return takeTurns(names, repeats, async (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-'))
    try {
      const front = await fronts[name](folder)
      try {
        await until(`${name} answers`, () => isAnswering(front))
        await load(front, WARM.connections, WARM.seconds)
        const results = []
        for (const count of connections) results.push([`${name} ${count}`, await load(front, count, seconds)])
        return results
      } finally {
        await front.close()
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
}

/** What everybody has to answer. */
async function isAnswering({ url, headers }) {
  try {
    const response = await fetch(url, { headers })
    return response.status === 200 && (await response.text()) === body
  } catch {
    return false
  }
}

/** Has wrk ask for so long. */
export async function load({ url, headers, pids }, connections, seconds) {
  const fields = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const wrk = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', ...fields, url]
  const before = spentMs(pids())
  const { stdout } = await run(...pinned(OTHER_CORE, 'wrk', wrk))
  const spentUs = (spentMs(pids()) - before) * 1_000
  const number = (pattern) => Number(pattern.exec(stdout)?.[1] ?? 0)
  const lost = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout) ?? []
  return {
    perSec: number(/Requests\/sec:\s+([\d.]+)/),
    cpuUs: spentUs / number(/(\d+) requests in/),
    requests: number(/(\d+) requests in/),
    p50Ms: millisecondsOf(/50%\s+([\d.]+\w+)/.exec(stdout)?.[1]),
    p99Ms: millisecondsOf(/99%\s+([\d.]+\w+)/.exec(stdout)?.[1]),
    failed: lost
      .slice(1)
      .reduce((sum, count) => sum + Number(count), number(/Non-2xx or 3xx responses: (\d+)/)),
  }
}

function spentMs(pids) {
  return pids.reduce((sum, pid) => sum + (cpuOf(pid)?.ownMs ?? Number.NaN), 0)
}

function millisecondsOf(text = '') {
  const [, number, unit] = /^([\d.]+)(\w+)$/.exec(text) ?? []
  return Number(number) * { us: 0.001, ms: 1, s: 1000 }[unit]
}

/** How many times what the other does on one core, ours does. */
export function perCore(figures, other, connections) {
  return (
    figures.median(`${other} ${connections}`, 'cpuUs') / figures.median(`${OURS} ${connections}`, 'cpuUs')
  )
}

/** A table for each number of connections. */
export function showFronts(figures, names, connections) {
  for (const count of connections) {
    const of = (name, field) => figures.median(`${name} ${count}`, field)
    showTable(
      [
        `${count} connections`,
        'requests/s',
        'CPU µs/request',
        'ours x this, per core',
        'p50 ms',
        'p99 ms',
        'failed',
      ],
      names.map((name) => [
        name,
        of(name, 'perSec').toFixed(0),
        of(name, 'cpuUs').toFixed(1),
        perCore(figures, name, count).toFixed(2),
        of(name, 'p50Ms').toFixed(2),
        of(name, 'p99Ms').toFixed(2),
        String(of(name, 'failed')),
      ]),
    )
  }
}
