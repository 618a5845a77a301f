/**
 * Tags: what an answer tells of. A cache that keeps an answer remembers its tags, and forgets it when one of them changed.
 *
 * A contract writes templates: `products` is a tag as it stands, `product:{id}` has the value of an input field after the colon,
 * `sku:{output.items.sku}` that of a field of the output; where there are lists on the way, there is a tag for every item. What is
 * null or absent gives none.
 *
 * @module
 */
import type { TSchema } from './schema.ts'

/** A template, read. */
export interface TagTemplate {
  readonly name: string
  /** Absent: the name is the tag. */
  readonly from: 'input' | 'output' | undefined
  readonly path: readonly string[]
}

const TEMPLATE = /^([a-z][A-Za-z0-9-]{0,40})(?::\{([A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z][A-Za-z0-9]*)*)\})?$/

/** Reads a template; undefined when it is none. */
export function readTagTemplate(text: string): TagTemplate | undefined {
  const [, name, at] = TEMPLATE.exec(text) ?? []
  if (name === undefined) return undefined
  if (at === undefined) return { name, from: undefined, path: [] }
  const path = at.split('.')
  const [first, ...others] = path
  return first === 'output' && others.length > 0
    ? { name, from: 'output', path: others }
    : { name, from: 'input', path }
}

/** The tags of one answer, or of what one command has changed; each once. */
export function tagsOf(templates: readonly TagTemplate[], input: unknown, output: unknown): string[] {
  const tags = new Set<string>()
  for (const { name, from, path } of templates) {
    if (from === undefined) tags.add(name)
    else addTags(tags, `${name}:`, from === 'input' ? input : output, path, 0)
  }
  return [...tags]
}

function addTags(
  tags: Set<string>,
  prefix: string,
  value: unknown,
  path: readonly string[],
  depth: number,
): void {
  if (Array.isArray(value)) for (const item of value) addTags(tags, prefix, item, path, depth)
  else if (depth < path.length) {
    if (typeof value !== 'object' || value === null) return
    const field = (value as Readonly<Record<string, unknown>>)[path[depth] as string]
    addTags(tags, prefix, field, path, depth + 1)
  } else if (typeof value === 'string' || typeof value === 'number') tags.add(prefix + String(value))
}

/** True when the field at one of the paths (`items.stock`) is null, or is so in one item of a list. */
export function hasNull(output: unknown, paths: readonly string[]): boolean {
  return paths.some((path) => isNullAt(output, path.split('.'), 0))
}

function isNullAt(value: unknown, path: readonly string[], depth: number): boolean {
  if (Array.isArray(value)) return value.some((item) => isNullAt(item, path, depth))
  if (depth === path.length) return value === null
  if (typeof value !== 'object' || value === null) return false
  return isNullAt((value as Readonly<Record<string, unknown>>)[path[depth] as string], path, depth + 1)
}

/** What is wrong with templates of an operation, as the rest of a sentence about it. */
export function tagMistakes(texts: readonly string[], input: TSchema, output: TSchema): string[] {
  return texts.flatMap((text) => {
    const template = readTagTemplate(text)
    if (template === undefined) return [`has a tag ${text}, which is not like 'name' or 'name:{field}'`]
    const { from, path } = template
    const isThere = from === undefined || hasField(from === 'input' ? input : output, path)
    return isThere ? [] : [`has a tag ${text}, and no such field`]
  })
}

/** What is wrong with paths of an output. */
export function pathMistakes(paths: readonly string[], output: TSchema): string[] {
  return paths
    .filter((path) => !hasField(output, path.split('.')))
    .map((path) => `is partial without ${path}, which is no output field`)
}

interface Part {
  readonly type?: string
  readonly items?: Part
  readonly anyOf?: readonly Part[]
  readonly properties?: Readonly<Record<string, Part>>
}

function hasField(schema: TSchema | Part, path: readonly string[]): boolean {
  const { anyOf, items, properties = {} } = schema as Part
  if (anyOf !== undefined) return anyOf.some((part) => hasField(part, path))
  if (items !== undefined && !Array.isArray(items)) return hasField(items, path)
  const [name, ...others] = path
  if (name === undefined) return true
  return Object.hasOwn(properties, name) && hasField(properties[name] as Part, others)
}
