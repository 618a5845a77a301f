/**
 * Which requests a route policy is about. Pure.
 *
 * @module
 */
import type { RequestHead } from '../match/request-head.ts'
import type { Match } from './gateway-policies.ts'

const ANY = '*'
const REST = '**'

/** A match, taken apart. */
export class RouteMatcher {
  readonly #match: Match
  readonly #parts: readonly string[]
  readonly #hasRest: boolean
  readonly #headers: readonly (readonly [name: string, value: string])[]
  readonly #query: readonly (readonly [name: string, value: string])[]

  constructor(match: Match) {
    this.#match = match
    const parts = match.path.split('/').slice(1)
    this.#hasRest = parts.at(-1) === REST
    this.#parts = this.#hasRest ? parts.slice(0, -1) : parts
    this.#headers = Object.entries(match.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])
    this.#query = Object.entries(match.query ?? {})
  }

  /**
   * What decides when several match: parts of the path that are named, then parts at all, then conditions. Who is more particular goes
   * first; of equals, who stands first in the file.
   */
  get weight(): readonly [named: number, parts: number, conditions: number] {
    const { methods, hosts } = this.#match
    const conditions = this.#headers.length + this.#query.length + (methods ? 1 : 0) + (hosts ? 1 : 0)
    const named = this.#parts.filter((part) => !part.endsWith('}')).length
    return [named, this.#parts.length + (this.#hasRest ? 0 : 1), conditions]
  }

  /** False when no path of `template` can match. */
  mayMatch(template: string): boolean {
    return this.#matches(template.split('/').slice(1), (part) => part.startsWith('{'))
  }

  /** True when the request matches. */
  takes(method: string, head: RequestHead): boolean {
    const { methods } = this.#match
    return (methods === undefined || methods.some((one) => one === method)) && this.#isAbout(head)
  }

  /** The methods it takes where nothing else is in the way; none, too, where it takes all. */
  methodsAt(head: RequestHead): readonly string[] {
    const { methods = [] } = this.#match
    return this.#isAbout(head) ? methods : []
  }

  #isAbout(head: RequestHead): boolean {
    const { hosts } = this.#match
    if (hosts !== undefined && !hosts.some((one) => isHost(head.host, one))) return false
    // There are no escaped slashes; other escapes must not be a way around a policy.
    const path = head.path.includes('%') ? decodeURIComponent(head.path) : head.path
    return this.#matches(path.split('/').slice(1)) && this.#hasHeaders(head) && this.#hasQuery(head)
  }

  #matches(parts: readonly string[], isAnything = (_: string): boolean => false): boolean {
    if (parts.length < this.#parts.length || (!this.#hasRest && parts.length > this.#parts.length))
      return false
    return this.#parts.every((part, index) => {
      const its = parts[index] as string
      return part === its || (part.startsWith('{') ? isValue(part, its) : isAnything(its))
    })
  }

  #hasHeaders({ rawHeaders }: RequestHead): boolean {
    return this.#headers.every(([name, wanted]) => {
      for (let index = 0; index < rawHeaders.length; index += 2) {
        if (rawHeaders[index]?.toLowerCase() === name)
          return wanted === ANY || rawHeaders[index + 1] === wanted
      }
      return false
    })
  }

  #hasQuery({ search }: RequestHead): boolean {
    if (this.#query.length === 0) return true
    const query = new URLSearchParams(search)
    return this.#query.every(([name, wanted]) => {
      const value = query.get(name)
      return value !== null && (wanted === ANY || value === wanted)
    })
  }
}

/** `{id}` stands for anything, `{id}:verb` for anything that ends so. */
function isValue(part: string, its: string): boolean {
  if (part.endsWith('}')) return its !== ''
  const verb = part.slice(part.indexOf('}') + 1)
  return its.length > verb.length && its.endsWith(verb)
}

/** `*.a.test` stands for any name below `a.test`. Ports do not matter. */
function isHost(host: string, wanted: string): boolean {
  const name = host.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '')
  const its = wanted.toLowerCase()
  return its.startsWith('*.') ? name.endsWith(its.slice(1)) : name === its
}
