/**
 * Certificates for tests, made as they are needed.
 *
 * @module
 */
// What @peculiar/x509 finds its parts with.
import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'
import { systemClock } from '@flotilla/core/clock'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const HOUR_MS = 3_600_000

/** A certificate and its key, in PEM. */
export interface Pair {
  readonly cert: string
  readonly key: string
}

/** A certificate that could sign others, though only one of a CA may. */
export interface Issued extends Pair {
  readonly certificate: X509Certificate
  readonly keys: webcrypto.CryptoKeyPair
}

/** What a certificate says. */
export interface Says {
  readonly name: string
  readonly uris?: readonly string[]
  /** Milliseconds from now; negative ones have passed. Default an hour. */
  readonly lifeMs?: number
  /** Milliseconds from now; default an hour ago. */
  readonly afterMs?: number
  readonly isServer?: boolean
}

let serial = 1

/** Makes a CA. */
export async function makeCa(name: string): Promise<Issued> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...common(HOUR_MS),
    name: `CN=${name}`,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 1, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  })
  return { certificate, keys, cert: `${certificate.toString('pem')}\n`, key: await keyPem(keys) }
}

/** Makes a certificate for a client, or for a server at 127.0.0.1. */
export async function makeCertificate(
  ca: Issued,
  { name, uris = [], lifeMs = HOUR_MS, afterMs = -HOUR_MS, isServer = false }: Says,
): Promise<Issued> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const names = [
    ...uris.map((value) => ({ type: 'url' as const, value })),
    ...(isServer ? [{ type: 'ip' as const, value: '127.0.0.1' }] : []),
  ]
  const certificate = await X509CertificateGenerator.create({
    ...common(lifeMs, afterMs),
    subject: `CN=${name}`,
    issuer: ca.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: ca.keys.privateKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([isServer ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth]),
      ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []),
    ],
  })
  return { certificate, keys, cert: `${certificate.toString('pem')}\n`, key: await keyPem(keys) }
}

function common(lifeMs: number, afterMs = -HOUR_MS) {
  const nowMs = systemClock.now()
  return {
    serialNumber: String(serial++).padStart(2, '0'),
    notBefore: new Date(nowMs + afterMs),
    notAfter: new Date(nowMs + lifeMs),
    signingAlgorithm: ALGORITHM,
  }
}

async function keyPem({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', privateKey))
  return `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`
}
