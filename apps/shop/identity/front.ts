/**
 * The demo identity provider's HTTP: pages for browsers, JSON for its client.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listen } from '@flotilla/core/http-server'
import type { Logger } from '@flotilla/core/log'
import type { DemoIssuer, Step } from './issuer.ts'
import { people } from './people.ts'

/** What listens. */
export interface Front {
  /** Ends everything at once, as an outside company may. */
  close(): Promise<void>
}

/** Where it listens. */
export interface FrontOptions {
  readonly host: string
  readonly port: number
  readonly log: Pick<Logger, 'error'>
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const BODY_BYTES_MAX = 16 * 1024
const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
main{max-width:24rem;margin:12vh auto;padding:0 1rem}
h1{font-size:1.5rem}
button{width:100%;padding:.75rem 1rem;border:1px solid #8888;border-radius:.5rem;background:none;color:inherit;font:inherit;text-align:left;cursor:pointer}
button:hover,button:focus-visible{border-color:currentcolor}`
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/** A page of forms without scripts, with a style of its own, in no frame. Forms may lead back to the client: `form-action` would stop that. */
const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** @throws FlotillaError `unavailable` when the port is taken. */
export async function openFront(issuer: DemoIssuer, { host, port, log }: FrontOptions): Promise<Front> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (incoming, outgoing) => {
    answer(issuer, incoming).then(
      (its) => send(outgoing, its),
      (error: unknown) => {
        log.error('a request failed', { error })
        send(outgoing, page(500, '<p>Sorry.</p>'))
      },
    )
  })
  await listen(server, host, port)
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer(issuer: DemoIssuer, incoming: IncomingMessage): Promise<Answer> {
  const [path = '', search = ''] = (incoming.url ?? '/').split('?', 2)
  switch (`${incoming.method} ${path}`) {
    case 'GET /.well-known/openid-configuration':
      return json(200, issuer.metadata)
    case 'GET /jwks':
      return json(200, issuer.jwks)
    case 'GET /authorize':
      return step(issuer.begin(new URLSearchParams(search)))
    case 'POST /login': {
      const form = await readForm(incoming)
      if (form === undefined) return page(413, '<p>Too long.</p>')
      return step(issuer.choose(form.get('request') ?? '', form.get('person') ?? ''))
    }
    case 'POST /token': {
      const form = await readForm(incoming)
      if (form === undefined) return json(413, { error: 'invalid_request' })
      const { status, body } = await issuer.token(incoming.headers.authorization, form)
      return json(status, body)
    }
    default:
      return page(404, '<p>There is nothing here.</p>')
  }
}

/** Undefined when it is too long. */
async function readForm(incoming: IncomingMessage): Promise<URLSearchParams | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) return undefined
    chunks.push(chunk)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}

function step(its: Step): Answer {
  if ('mistake' in its) return page(400, `<p>${its.mistake}</p>`)
  if ('location' in its)
    return { status: 303, headers: { location: its.location, 'cache-control': 'no-store' }, body: '' }
  // A secret of ours, and people of ours: nothing on the page comes from outside.
  const buttons = people.map(
    ({ subject, name, email }) =>
      `<p><button name="person" value="${subject}">${name} (${email})</button></p>`,
  )
  return page(
    200,
    `<h1>Who are you?</h1><p>This is a demo: nobody checks.</p>
<form method="post" action="/login"><input type="hidden" name="request" value="${its.request}">
${buttons.join('\n')}
<p><button name="person" value="">Nobody</button></p></form>`,
  )
}

function page(status: number, body: string): Answer {
  const document = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Demo identity provider</title><style>${STYLE}</style><main>${body}</main></html>\n`
  return { status, headers: PAGE_HEADERS, body: document }
}

function json(status: number, body: object): Answer {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  return { status, headers, body: JSON.stringify(body) }
}

function send(outgoing: ServerResponse, { status, headers, body }: Answer): void {
  outgoing.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
}
