/**
 * What TLS is spoken with: certificate, key, and who signs the certificates of clients, from files that are followed.
 *
 * Whoever renews a certificate writes two files, one after the other: between them they do not fit, are refused, and are looked at
 * again. What holds is only ever a whole that was checked.
 *
 * @module
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { Clock, Timer } from '@flotilla/core/clock'
import { FlotillaError, isFlotillaError } from '@flotilla/core/error'
import { certificateTimeMs } from './certificate.ts'

/** Paths of PEM files. */
export interface TlsFiles {
  /** The server's certificate, then those between it and its CA. */
  readonly certificate: string
  readonly key: string
  /** CAs of clients; absent: none. */
  readonly clientCa?: string | undefined
}

/** What was read and goes together. */
export interface TlsMaterial {
  readonly cert: string
  readonly key: string
  /** Absent: certificates of clients are worth nothing. */
  readonly ca: readonly string[] | undefined
  /** Of the server's certificate, in wall-clock milliseconds. */
  readonly expiresAtMs: number
}

/** Who hears of changes. */
export interface TlsListener {
  readonly changed: (material: TlsMaterial) => void
  /** Told why once, and again only when a file changes again; what was there before goes on to hold. */
  readonly refused: (why: string) => void
}

const LOOK_MS = 500
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Follows the files. */
export class TlsMaterialFiles {
  readonly #files: TlsFiles
  readonly #clock: Clock
  #stamp = ''
  #timer: Timer | undefined
  #looking: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(files: TlsFiles, clock: Clock) {
    this.#files = files
    this.#clock = clock
  }

  /** @throws FlotillaError `failed_precondition` that says what is wrong with them. */
  async read(): Promise<TlsMaterial> {
    this.#stamp = await this.#stampNow()
    try {
      return await readMaterial(this.#files, this.#clock.now())
    } catch (error) {
      throw isFlotillaError(error) ? error : unusable((error as Error).message)
    }
  }

  /** Looks every half second whether they were written. */
  follow(listener: TlsListener): void {
    if (this.#isClosed) return
    this.#timer = this.#clock.schedule(LOOK_MS, () => {
      this.#looking = this.#look(listener).then(() => this.follow(listener))
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#looking
  }

  async #look({ changed, refused }: TlsListener): Promise<void> {
    if ((await this.#stampNow()) === this.#stamp) return
    let material: TlsMaterial
    try {
      material = await this.read()
    } catch (error) {
      return refused((error as Error).message)
    }
    changed(material)
  }

  async #stampNow(): Promise<string> {
    const { certificate, key, clientCa } = this.#files
    const paths = clientCa === undefined ? [certificate, key] : [certificate, key, clientCa]
    return (await Promise.all(paths.map(stampOf))).join(';')
  }
}

/** Changes with the file: when it was written, its length, and which file it is, as mounts swap whole files. */
async function stampOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path)
    return `${mtimeMs} ${size} ${ino}`
  } catch {
    // Reading it says what is the matter.
    return 'unreadable'
  }
}

async function readMaterial(files: TlsFiles, nowMs: number): Promise<TlsMaterial> {
  const [cert, key, cas] = await Promise.all([
    readFile(files.certificate, 'utf8'),
    readFile(files.key, 'utf8'),
    files.clientCa === undefined ? undefined : readFile(files.clientCa, 'utf8'),
  ])
  const [own] = certificatesOf(cert, files.certificate)
  const expiresAtMs = certificateTimeMs(own.validTo)
  if (!own.checkPrivateKey(createPrivateKey(key)))
    throw unusable(`the key in ${files.key} is not that of the certificate in ${files.certificate}`)
  if (!(expiresAtMs > nowMs)) throw unusable(`the certificate in ${files.certificate} has expired`)
  if (!(certificateTimeMs(own.validFrom) <= nowMs))
    throw unusable(`the certificate in ${files.certificate} is not valid yet`)
  const ca = cas === undefined ? undefined : certificatesOf(cas, files.clientCa ?? '').map(caText)
  // Whatever else TLS could have against it.
  createSecureContext({ cert, key, ...(ca && { ca }) })
  return { cert, key, ca, expiresAtMs }
}

function certificatesOf(text: string, path: string): [X509Certificate, ...X509Certificate[]] {
  const [first, ...more] = (text.match(PEM) ?? []).map((pem) => new X509Certificate(pem))
  if (first === undefined) throw unusable(`there is no certificate in ${path}`)
  return [first, ...more]
}

function caText(certificate: X509Certificate): string {
  if (!certificate.ca) throw unusable(`the certificate of ${certificate.subject} is not that of a CA`)
  return certificate.toString()
}

function unusable(why: string): FlotillaError {
  return new FlotillaError('failed_precondition', `TLS cannot be spoken: ${why}.`, { executed: 'no' })
}
