/**
 * The metrics that the code registers, with their labels: read from the sources, for most metrics are made only when there is something to count.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Names of metrics as they are asked for, each with its labels. */
export type RegisteredMetrics = ReadonlyMap<string, ReadonlySet<string>>

const TEXT = String.raw`(?:'(?:[^'\\]|\\.)*'|"[^"]*"|\w+)`
const REGISTRATION = new RegExp(
  String.raw`\b(counter|gauge|histogram)\(\s*['\`]([\w$\{\}]+)['\`],\s*${TEXT}(?:,\s*\[([^\]]*)\])?`,
  'g',
)
/** `const gauge = (name, help) => metrics.gauge(name, help, ['process'])`: the labels of all that come by it. */
const SHORTHAND = /const (counter|gauge|histogram) = \(name[\s\S]{0,120}?\[([^\]]*)\]/g

/** Those of all packages and apps below `root`. */
export function registeredMetrics(root: string): RegisteredMetrics {
  const metrics = new Map<string, Set<string>>()
  const add = (name: string, labels: readonly string[]): void => {
    metrics.set(name, new Set([...(metrics.get(name) ?? []), ...labels]))
  }
  for (const path of sourcesBelow(root)) {
    const text = readFileSync(path, 'utf8')
    const shorthands = new Map([...text.matchAll(SHORTHAND)].map(([, kind, labels]) => [kind, labels]))
    for (const [, kind = '', name = '', labels] of text.matchAll(REGISTRATION)) {
      const own = namesIn(labels ?? shorthands.get(kind) ?? '')
      for (const one of kind === 'histogram' ? ['_bucket', '_sum', '_count'] : [''])
        add(`${name}${one}`, one === '_bucket' ? [...own, 'le'] : own)
    }
  }
  return metrics
}

function sourcesBelow(root: string): string[] {
  return ['packages', 'apps']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) =>
        join(root, folder, path),
      ),
    )
    .filter(
      (path) =>
        path.endsWith('.ts') && !/\.test\.ts$|\.d\.ts$|\/(?:dist|bundle|testing|node_modules)\//.test(path),
    )
}

function namesIn(list: string): string[] {
  return [...list.matchAll(/'(\w+)'/g)].map(([, name = '']) => name)
}
