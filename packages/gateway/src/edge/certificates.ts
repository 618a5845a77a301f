/**
 * The certificate of the gateway: opened by its settings, followed while it runs.
 *
 * A certificate that cannot be used is an error at the start. Later it is a line in the log and a metric, and the old one goes on to hold.
 *
 * @module
 */
import type { Clock, Timer } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import type { ServiceRuntime } from '@flotilla/core/service'
import type { Server, ServerOptions } from '../http/server.ts'
import { type TlsMaterial, TlsMaterialFiles } from '../http/tls-material.ts'
import type { GatewaySettings } from './settings.ts'

/** What the public server needs of them. */
export interface Certificates {
  readonly options: Pick<ServerOptions, 'tls' | 'always'>
  /** From now on the server hears of changes. */
  follow(server: Pick<Server, 'useTls'>): void
  close(): Promise<void>
}

/** A year, which is also the least that lists of such names take. */
const HSTS = ['strict-transport-security', 'max-age=31536000']
const SHOW_MS = 5_000

/**
 * Opens what the settings name; undefined: the gateway speaks plain text.
 *
 * @throws FlotillaError `failed_precondition` that says why TLS cannot be spoken so.
 */
export async function openCertificates({
  clock,
  config,
  log,
  metrics,
}: Pick<ServiceRuntime<GatewaySettings>, 'clock' | 'config' | 'log' | 'metrics'>): Promise<
  Certificates | undefined
> {
  const { tlsCertificate: certificate, tlsKey: key, tlsClientCa: clientCa } = config
  checkSettings(config)
  if (certificate === '') return undefined
  const files = new TlsMaterialFiles(
    { certificate, key, clientCa: clientCa === '' ? undefined : clientCa },
    clock,
  )
  const first = await files.read()
  const refused = metrics
    .gauge('flotilla_gateway_certificate_refused', '1 while there is a new certificate that cannot be used.')
    .with()
  const expires = metrics
    .gauge('flotilla_gateway_certificate_expires_seconds', 'Until the certificate expires.')
    .with()
  const countdown = new Countdown(clock, first, (leftS) => expires.set(leftS))
  return {
    options: {
      tls: { material: first, clientCertificate: config.tlsClientCertificate },
      always: config.tlsHsts ? HSTS : [],
    },
    follow(server) {
      countdown.show()
      files.follow({
        changed(material) {
          server.useTls(material)
          countdown.material = material
          countdown.show()
          refused.set(0)
          log.info('there is a new certificate', { file: certificate })
        },
        refused(why) {
          refused.set(1)
          log.error('the new certificate is refused; the old one stays', { file: certificate, why })
        },
      })
    },
    async close() {
      countdown.cancel()
      await files.close()
    },
  }
}

function checkSettings(config: GatewaySettings): void {
  const { tlsCertificate, tlsKey, tlsClientCa, tlsClientCertificate } = config
  const fault = (why: string): FlotillaError =>
    new FlotillaError('failed_precondition', why, { executed: 'no' })
  if ((tlsCertificate === '') !== (tlsKey === ''))
    throw fault('GATEWAY_TLS_CERTIFICATE and GATEWAY_TLS_KEY go together.')
  if ((tlsClientCa === '') !== (tlsClientCertificate === 'off'))
    throw fault('GATEWAY_TLS_CLIENT_CA goes together with GATEWAY_TLS_CLIENT_CERTIFICATE.')
  if (tlsClientCa !== '' && tlsCertificate === '')
    throw fault('Certificates of clients need GATEWAY_TLS_CERTIFICATE.')
}

/** Shows how long a certificate is still good, every few seconds. */
class Countdown {
  readonly #clock: Clock
  readonly #set: (leftS: number) => void
  #timer: Timer | undefined
  material: TlsMaterial

  constructor(clock: Clock, material: TlsMaterial, set: (leftS: number) => void) {
    this.#clock = clock
    this.#set = set
    this.material = material
  }

  show(): void {
    this.#timer?.cancel()
    this.#set(Math.round((this.material.expiresAtMs - this.#clock.now()) / 1000))
    this.#timer = this.#clock.schedule(SHOW_MS, () => this.show())
  }

  cancel(): void {
    this.#timer?.cancel()
  }
}
