/**
 * Path templates of `google.api.http`: which requests one means, and which parts of their paths are fields. Pure.
 *
 * @source google/api/http.proto, "Path template syntax"
 * @module
 */

/** A field, and the parts of the path that are its value. */
export interface PathBinding {
  /** With dots where it lies within another: `item.sku`. */
  readonly field: string
  /** The first part, from 0. */
  readonly from: number
  /** The part after the last one; undefined: there is no last one. */
  readonly to: number | undefined
  /** What ends the last part and is not of the value: `:cancel`. */
  readonly verb: string
}

/** A template, taken apart. */
export interface PathTemplate {
  /** As route policies write it: `{any}` is one part, `**` at the end any rest. */
  readonly path: string
  readonly bindings: readonly PathBinding[]
}

const REST = '**'
const VERB = /:[^/{}:*=]+$/
const LITERAL = /^[^*{}/=]+$/
const VARIABLE = /^\{([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)(?:=([^{}]+))?\}$/

/** The template; undefined when `text` is none, or has `**` somewhere else than at its end. */
export function readTemplate(text: string): PathTemplate | undefined {
  if (!text.startsWith('/')) return undefined
  const [verb = ''] = VERB.exec(text) ?? []
  const parts: string[] = []
  const bindings: PathBinding[] = []
  for (const piece of piecesOf(text.slice(1, text.length - verb.length))) {
    const [, field, inner = '*'] = VARIABLE.exec(piece) ?? []
    const its = field === undefined ? [piece] : inner.split('/')
    if (!its.every((one) => one === '*' || one === REST || LITERAL.test(one))) return undefined
    const from = parts.length
    parts.push(...its)
    const to = its.at(-1) === REST ? undefined : parts.length
    if (field !== undefined) bindings.push({ field, from, to, verb: '' })
  }
  const hasRest = parts.includes(REST)
  if (hasRest && (parts.indexOf(REST) < parts.length - 1 || verb !== '')) return undefined
  const path = `/${parts.map((part) => (part === '*' ? '{any}' : part)).join('/')}${verb}`
  return {
    path,
    bindings: bindings.map((one) => (one.to === parts.length ? { ...one, verb } : one)),
  }
}

/** What the path of a request says of the field; `path` is one that the template means. */
export function valueIn({ from, to, verb }: PathBinding, path: string): string {
  const parts = path.split('/').slice(1 + from, to === undefined ? undefined : 1 + to)
  const value = parts.map((part) => decodeURIComponent(part)).join('/')
  return value.slice(0, value.length - verb.length)
}

/** Slashes within braces part nothing. */
function piecesOf(text: string): readonly string[] {
  return text.match(/(?:\{[^{}]*\}|[^/])+|(?<=\/)$/g) ?? []
}
