/**
 * A gateway for tests that speaks TLS, and who asks it so.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type ClientHttp2Session, connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { type Issued, makeCa, makeCertificate, type Pair } from './make-certificates.test.ts'
import { type Answer, type Ask, openTestGateway, type TestGateway } from './open-gateway.test.ts'
import { openOnce } from './open-once.test.ts'

/** Whoever comes with it. */
export interface Client {
  /** Shown when it is asked for. */
  readonly certificate?: Pair | undefined
  readonly protocol?: 'h1' | 'h2'
}

/** The files, and who asks. */
export interface Secure {
  readonly ca: Issued
  readonly clientCa: Issued
  /** Puts another pair in the place of the one the gateway was opened with. */
  install(pair: Pair): void
  ask(path: string, ask?: Ask, client?: Client): Promise<Answer>
  /** A connection of HTTP/2 to be used for long, to be closed by who asks. */
  session(client?: Client): ClientHttp2Session
  /** A connection after its handshake, speaking nothing yet. Rejects when the gateway does not want it. */
  socket(options?: {
    readonly alpn?: readonly string[]
    readonly version?: 'TLSv1.1' | 'TLSv1.2'
  }): Promise<TLSSocket>
}

/** A gateway that speaks TLS. */
export interface SecureGateway extends Omit<TestGateway, 'ask'>, Secure {}

/** One for all tests of a suite; to be asked for within a test. */
export function sharedSecureGateway(environment?: Readonly<Record<string, string>>): () => SecureGateway {
  return openOnce(openSecureGateway, environment)
}

/** Opens it; `environment` on top of the certificate and its key. */
export async function openSecureGateway(
  t: { after(cleanUp: () => Promise<void>): void },
  environment: Readonly<Record<string, string>> = {},
): Promise<SecureGateway> {
  const files = await makeFiles(t)
  const gateway = await openTestGateway(t, { ...files.environment, ...environment })
  return { ...gateway, ...clientsOf(() => gateway.port, files) }
}

/** Files of a gateway. */
export interface SecureFiles {
  readonly ca: Issued
  readonly clientCa: Issued
  readonly environment: Readonly<Record<string, string>>
  /** To be set as GATEWAY_TLS_CLIENT_CA. */
  readonly clientCaPath: string
  install(pair: Pair): void
}

/** Makes what a gateway needs for TLS. */
export async function makeFiles(t: { after(cleanUp: () => Promise<void>): void }): Promise<SecureFiles> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-tls-'))
  t.after(async () => rmSync(folder, { recursive: true, force: true }))
  const [ca, clientCa] = await Promise.all([makeCa('Servers'), makeCa('Clients')])
  const paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem'), ca: join(folder, 'ca.pem') }
  const install = ({ cert, key }: Pair): void => {
    writeFileSync(paths.cert, cert)
    writeFileSync(paths.key, key)
  }
  install(await makeCertificate(ca, { name: 'first', isServer: true }))
  writeFileSync(paths.ca, clientCa.cert)
  return {
    ca,
    clientCa,
    install,
    clientCaPath: paths.ca,
    environment: { GATEWAY_TLS_CERTIFICATE: paths.cert, GATEWAY_TLS_KEY: paths.key },
  }
}

/** Who asks the gateway at a port. */
export function clientsOf(port: () => number, { ca, clientCa, install }: SecureFiles): Secure {
  const session = ({ certificate }: Client = {}): ClientHttp2Session => {
    const opened = connectHttp2(`https://127.0.0.1:${port()}`, { ca: ca.cert, ...pairOf(certificate) })
    // Its requests hear of it.
    opened.on('error', () => {})
    return opened
  }
  return {
    ca,
    clientCa,
    install,
    session,
    async ask(path, ask = {}, client = {}) {
      if (client.protocol === 'h1') return await askByTls(port(), ca, path, ask, client)
      const opened = session(client)
      try {
        return await askOn(opened, path, ask)
      } finally {
        opened.destroy()
      }
    },
    socket: ({ alpn = ['h2'], version } = {}) =>
      new Promise((resolve, reject) => {
        const socket = connectTls({
          host: '127.0.0.1',
          port: port(),
          ca: ca.cert,
          ALPNProtocols: [...alpn],
          ...(version && { minVersion: version, maxVersion: version }),
        })
        socket.on('error', reject)
        socket.on('secureConnect', () => resolve(socket))
      }),
  }
}

function pairOf(certificate: Pair | undefined): Partial<Pair> {
  return certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key }
}

function parts({ method, headers, json, text }: Ask) {
  const body = json === undefined ? text : JSON.stringify(json)
  const type: Record<string, string> = json === undefined ? {} : { 'content-type': 'application/json' }
  const length: Record<string, string> =
    body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  return {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...type, ...length, ...headers },
    body,
  }
}

function answerOf(status: number, headers: Answer['headers'], chunks: readonly Buffer[]): Answer {
  const bytes = Buffer.concat(chunks)
  const text = bytes.toString('utf8')
  const isJson = /json/.test(headers['content-type'] ?? '') && text !== ''
  const body = isJson ? (JSON.parse(text) as Readonly<Record<string, unknown>>) : {}
  return { status, headers, text, bytes, body }
}

/** Asks on a connection of HTTP/2. */
export function askOn(session: ClientHttp2Session, path: string, ask: Ask = {}): Promise<Answer> {
  const { method, headers, body } = parts(ask)
  return new Promise((resolve, reject) => {
    const stream = session.request(
      { ...headers, ':method': method, ':path': path },
      { endStream: body === undefined },
    )
    const chunks: Buffer[] = []
    let head: IncomingHttpHeaders = {}
    stream.on('response', (its) => {
      head = its
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', reject)
    stream.on('close', () => {
      if (head[':status'] === undefined) reject(new Error('There was no answer.'))
      const { ':status': status, ...rest } = head
      resolve(answerOf(Number(status), rest as Answer['headers'], chunks))
    })
    if (body !== undefined) stream.end(body)
  })
}

function askByTls(
  port: number,
  ca: Issued,
  path: string,
  ask: Ask,
  { certificate }: Client,
): Promise<Answer> {
  const { method, headers, body } = parts(ask)
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, headers, agent: false as const }
    const outgoing = request({ ...options, ca: ca.cert, ...pairOf(certificate) })
    outgoing.on('error', reject)
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => resolve(answerOf(incoming.statusCode ?? 0, incoming.headers, chunks)))
    })
    outgoing.end(body)
  })
}
