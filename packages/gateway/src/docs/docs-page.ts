/**
 * The API's documentation as one page of plain HTML: no script, nothing fetched from anywhere.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import type { OpenApiDocument } from '@flotilla/core/openapi'
import { docsStyle } from './docs-style.ts'
import { schemaText } from './schema-text.ts'

/** A page, and the policy that lets a browser show it and nothing else. */
export interface DocsPage {
  readonly html: string
  readonly contentSecurityPolicy: string
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description?: string
  readonly schema: unknown
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: unknown }>>
}

interface ApiOperation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly deprecated?: boolean
  readonly tags: readonly string[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: Content
  readonly responses: Readonly<Record<string, Content & { readonly description: string }>>
}

interface Entry {
  readonly method: string
  readonly path: string
  readonly operation: ApiOperation
}

/** Renders the document. */
export function docsPage(document: OpenApiDocument): DocsPage {
  const { info, tags, paths, components } = document
  const entries: readonly Entry[] = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      // What describes an operation in an OpenAPI document always has these; it is typed as JSON only because it has more.
      operation: operation as unknown as ApiOperation,
    })),
  )
  const groups = tags.map((tag) => ({
    ...tag,
    entries: entries.filter(({ operation }) => operation.tags.includes(tag.name)),
  }))
  const shapes = Object.entries(components.schemas)
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(info.title)}</title><style>${docsStyle}</style></head><body>
<nav aria-label="Operations"><strong>${escaped(info.title)}</strong>
${groups.map(({ name, entries: its }) => `<h2>${escaped(name)}</h2><ul>${its.map(link).join('')}</ul>`).join('\n')}
<h2>shapes</h2><ul>${shapes.map(([name]) => `<li><a href="#shape-${escaped(name)}">${escaped(name)}</a></li>`).join('')}</ul></nav>
<main><h1>${escaped(info.title)}</h1><p>${escaped(info.description ?? '')}</p>
<p class="soft">The same for programs: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
${groups.map(section).join('\n')}
<h2>Shapes</h2>
${shapes.map(shape).join('\n')}
</main></body></html>
`
  const styleHash = createHash('sha256').update(docsStyle).digest('base64')
  return {
    html: withLinks(html, new Set(shapes.map(([name]) => name))),
    contentSecurityPolicy: `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  }
}

function link({ method, path, operation }: Entry): string {
  // Those of the first version are the rule.
  const short = path.replace(/^\/api(?:\/v1(?=\/))?/, '')
  return `<li><a${operation.deprecated ? ' class="old"' : ''} href="#${escaped(operation.operationId)}"><span class="${method}">${method}</span> ${escaped(short)}</a></li>`
}

function section({
  name,
  description,
  entries,
}: {
  name: string
  description: string
  entries: readonly Entry[]
}): string {
  return `<h2>${escaped(name)}</h2><p>${escaped(description)}</p>${entries.map(article).join('\n')}`
}

function article({ method, path, operation }: Entry): string {
  const {
    operationId,
    summary,
    description = '',
    deprecated,
    parameters = [],
    requestBody,
    responses,
  } = operation
  const body = schemaOf(requestBody)
  const [success] = Object.entries(responses)
  const failures = Object.entries(responses).slice(1)
  const answer = schemaOf(success?.[1])
  return `<article id="${escaped(operationId)}"><h3><span class="method ${method}">${method}</span> ${escaped(path)}${deprecated ? ' <em>deprecated</em>' : ''}</h3>
<p>${escaped(summary)} <span class="soft">${escaped(description)}</span></p>
${parameters.length === 0 ? '' : `<h4>Parameters</h4><table>${parameters.map(parameterRow).join('')}</table>`}
${body === undefined ? '' : `<h4>Body</h4><pre>${escaped(schemaText(body))}</pre>`}
<h4>Answer ${escaped(success?.[0] ?? '')}</h4><pre>${answer === undefined ? 'nothing' : escaped(schemaText(answer))}</pre>
<h4>Refusals</h4><table>${failures.map(([status, { description: why }]) => `<tr><td>${status}</td><td>${inline(why)}</td></tr>`).join('')}</table></article>`
}

function parameterRow({ name, in: place, required = false, description = '', schema }: Parameter): string {
  const what = `${escaped(schemaText(schema))} <span class="soft">in ${place}${required ? ', required' : ''}</span> ${escaped(description)}`
  return `<tr><td>${escaped(name)}</td><td>${what}</td></tr>`
}

function shape([name, schema]: readonly [string, unknown]): string {
  return `<article id="shape-${escaped(name)}"><h3>${escaped(name)}</h3><pre>${escaped(schemaText(schema))}</pre></article>`
}

/** Names of shapes, where a shape is written, become links to them. */
function withLinks(html: string, names: ReadonlySet<string>): string {
  return html.replace(/<pre>.*?<\/pre>/gs, (pre) =>
    pre.replace(/\b[A-Z]\w*/g, (word) => (names.has(word) ? `<a href="#shape-${word}">${word}</a>` : word)),
  )
}

function schemaOf(content: Content | undefined): unknown {
  return Object.values(content?.content ?? {})[0]?.schema
}

/** Text with `code` in it. */
function inline(text: string): string {
  return escaped(text)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/\n+/g, '<br>')
}

function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, (char) => names[char] as string)
}
