/**
 * CPU time of other processes, from /proc; nothing is known where there is none.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'

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

/** The command line or title of a process; empty when it is not there. */
export function titleOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}
