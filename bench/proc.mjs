/**
 * CPU time of other processes, from /proc; nothing is known where there is none.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** The kernel counts in hundredths of a second. */
const TICK_MS = 10

/**
 * What a process has spent, in milliseconds, with what its ended children had spent; undefined when it is not there.
 *
 * Fields by proc(5): 4 is the parent, 14 and 15 the process's own ticks, 16 and 17 those of children it has waited for.
 */
export function cpuOf(pid) {
  try {
    // What precedes the state is a name that may contain anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    const ticks = (first, second) => (Number(fields[first]) + Number(fields[second])) * TICK_MS
    return { parent: Number(fields[1]), ownMs: ticks(11, 12), endedChildrenMs: ticks(13, 14) }
  } catch {
    return undefined
  }
}

/**
 * Microseconds that the threads of a process which live have spent, to the nanosecond: for turns too short for hundredths of a second. Not a
 * number when it is not there.
 *
 * @source https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat
 */
export function spentUsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => {
      const [ns] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')
      return sum + Number(ns) / 1_000
    }, 0)
  } catch {
    return Number.NaN
  }
}

/** Its children that live. */
export function childrenOf(pid) {
  if (process.platform !== 'linux') return []
  const all = readdirSync('/proc').filter((one) => /^\d+$/.test(one))
  // One that has ended meanwhile has no parent, and neither has who is not there.
  return pid === undefined ? [] : all.map(Number).filter((one) => cpuOf(one)?.parent === pid)
}

/** Microseconds of CPU time of a process and of those it has started, also of those that have ended. */
export function spentUsOfTree(pid) {
  const { ownMs = 0, endedChildrenMs = 0 } = cpuOf(pid) ?? {}
  const alive = childrenOf(pid).reduce((sum, child) => sum + (cpuOf(child)?.ownMs ?? 0), 0)
  return (ownMs + endedChildrenMs + alive) * 1_000
}

/** The process that listens on a TCP port of the loopback; undefined: nobody of ours does. */
export function listenerOf(port) {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)
  const fields = lines.map((line) => line.trim().split(/\s+/))
  // 0A is LISTEN; the tenth field is the inode of the socket.
  const inode = fields.find(([, address, , state]) => address === local && state === '0A')?.[9]
  const pids = readdirSync('/proc').filter((one) => /^\d+$/.test(one))
  return pids
    .map(Number)
    .find((pid) => inode !== undefined && linksOf(`/proc/${pid}/fd`).includes(`socket:[${inode}]`))
}

/** What the links of a folder lead to; nothing where they are not ours to see. */
function linksOf(folder) {
  try {
    return readdirSync(folder).map((name) => {
      try {
        return readlinkSync(`${folder}/${name}`)
      } catch {
        return ''
      }
    })
  } catch {
    return []
  }
}

/** The resident memory of a process in bytes: now, and at most since it began; not numbers when it is not there. */
export function memoryOf(pid) {
  const path = `/proc/${pid}/status`
  const status = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const bytes = (field) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1_024
  return { rss: bytes('VmRSS'), peak: bytes('VmHWM') }
}

/** The command line or title of a process; empty when it is not there. */
export function titleOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}
