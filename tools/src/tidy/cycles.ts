/**
 * No file may import itself by way of others: such files can only be understood, tested and loaded together.
 *
 * @module
 */
import type { Finding } from './finding.ts'
import { importsOf } from './imports.ts'
import type { Repository } from './repository.ts'
import { targetOf, workspacesOf } from './workspaces.ts'

/**
 * So many cycles that every file which is on one is shown, each once at its alphabetically first file. Type imports count: a cycle of types ties
 * files together as much. Dynamic imports and file URLs do not: they are how a cycle is cut.
 */
export function checkCycles(repository: Repository): Finding[] {
  const next = importGraph(repository)
  const found: Finding[] = []
  const isDone = new Set<string>()
  for (const path of next.keys()) {
    const cycle = isDone.has(path) ? undefined : cycleThrough(path, next)
    if (!cycle) continue
    for (const member of cycle) isDone.add(member)
    found.push({ path, line: 1, message: `imports itself: ${[...cycle, path].join(' → ')}` })
  }
  return found
}

/** The files each file imports at once. */
function importGraph(repository: Repository): Map<string, string[]> {
  const workspaces = workspacesOf(repository)
  const graph = new Map<string, string[]>()
  for (const source of repository.sources()) {
    const targets = importsOf(source)
      .filter(({ kind }) => kind !== 'dynamic' && kind !== 'url')
      .map((one) => targetOf(repository, workspaces, source.path, one))
    graph.set(
      source.path,
      targets.flatMap((target) => (target.kind === 'file' ? [target.path] : [])),
    )
  }
  return graph
}

/** The shortest way from `start` back to it, `start` first; undefined when there is none. */
function cycleThrough(start: string, next: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (const path of queue) {
    for (const to of next.get(path) ?? []) {
      if (to === start) return wayTo(path, start, cameFrom)
      if (cameFrom.has(to)) continue
      cameFrom.set(to, path)
      queue.push(to)
    }
  }
  return undefined
}

function wayTo(end: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const way = [end]
  for (let at = end; at !== start; ) {
    at = cameFrom.get(at) ?? start
    way.unshift(at)
  }
  return way
}
