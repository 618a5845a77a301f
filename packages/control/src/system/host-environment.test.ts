import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createKeyPair, Signer, Verifier } from '@flotilla/core/credentials'
import { readHostSettings } from '@flotilla/core/host-settings'
import { type EnvironmentOptions, hostEnvironment } from './host-environment.ts'

const keys = createKeyPair()

const options: EnvironmentOptions = {
  environment: {
    PATH: '/bin',
    DATABASE_URL: 'postgres://admin:all-of-it@db/postgres',
    FLOTILLA_DATA: '/data',
    FLOTILLA_LOG_LEVEL: 'warn',
    FLOTILLA_DATABASE_AUTH: 'postgres://stolen',
    FLOTILLA_CREDENTIAL: 'stolen',
    npm_config_token: 'of npm',
    AUTH_PEPPER: 'of auth',
    AUTH_ADMIN_KEY: 'of auth-admin',
    GATEWAY_PORT: '1',
  },
  services: ['registry', 'gateway', 'auth', 'auth-admin', 'cart'],
  version: '1.2.3',
  socketFolder: '/tmp/sockets',
  registryPort: 8761,
  processKey: keys.publicKey,
  userKey: 'user key',
  signer: new Signer(keys.privateKey),
  credentialsUntil: 2_000_000_000_000,
  databaseUrls: { auth: 'postgres://auth:of-auth@db/auth', cart: 'postgres://cart:of-cart@db/cart' },
  settings: { gateway: { port: '8080', userSigningKey: 'of the gateway' } },
  taskSettings: { auth: { adminPassword: 'of a task' } },
}

const environmentOf = (...services: string[]): Record<string, string> =>
  hostEnvironment(options, { instance: `${services[0]}-1`, services })

/** Every secret, and the only services that may know it. */
const secrets: Readonly<Record<string, readonly string[]>> = {
  'all-of-it': [],
  stolen: [],
  'of npm': [],
  'of a task': [],
  'of-auth': ['auth'],
  'of-cart': ['cart'],
  'of auth': ['auth'],
  'of auth-admin': ['auth-admin'],
  'of the gateway': ['gateway'],
  [keys.privateKey]: [],
}

describe('hostEnvironment', () => {
  for (const services of [
    ...options.services.map((name) => [name]),
    ['auth', 'cart'],
    [...options.services],
  ]) {
    it(`tells ${services.join(' and ')} their own secrets, and nobody else's`, () => {
      const values = Object.values(environmentOf(...services))
      for (const [secret, owners] of Object.entries(secrets)) {
        const isTold = values.some((value) => secretIn(value, secret))
        assert.equal(
          isTold,
          owners.some((owner) => services.includes(owner)),
          secret,
        )
      }
    })
  }

  it('is what a host can read, with a credential for its services alone', () => {
    const environment = environmentOf('auth', 'cart')
    const settings = readHostSettings(environment)
    assert.deepEqual(settings.services, ['auth', 'cart'])
    assert.equal(settings.frames, 'unix:/tmp/sockets/auth-1.sock')
    assert.equal(settings.registry, 'tcp:127.0.0.1:8761')
    assert.equal(settings.logLevel, 'warn')
    assert.equal(environment['PATH'], '/bin')
    const claims = new Verifier(keys.publicKey).process(settings.credential, 0)
    assert.deepEqual([claims.instance, claims.services], ['auth-1', ['auth', 'cart']])
  })

  it('puts the registry where all find it', () => {
    const settings = readHostSettings(environmentOf('registry'))
    assert.equal(settings.frames, 'tcp:127.0.0.1:8761')
    assert.equal(settings.registry, '')
  })

  it('passes on whatever the documentation says is for every process', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../../docs/configuration.md'), 'utf8')
    const [, section = ''] = /^## Every process$([\s\S]*?)^## /m.exec(text) ?? []
    const names = [...section.matchAll(/^\| `(\w+)`/gm)].map(([, name = '']) => name)
    assert.ok(names.length > 10)
    const given = Object.fromEntries(names.map((name) => [name, `given ${name}`]))
    const told = hostEnvironment(
      { ...options, environment: given },
      { instance: 'cart-1', services: ['cart'] },
    )
    assert.deepEqual(
      names.filter((name) => told[name] !== given[name]),
      [],
    )
  })

  it('tells of the console beside a backend that was named', () => {
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }
    const its = { origin: 'http://127.0.0.1:8090', key: 'the key' }
    const told = hostEnvironment(
      { ...options, environment, telemetry: its },
      { instance: 'cart-1', services: ['cart'] },
    )
    assert.deepEqual(
      [told['OTEL_EXPORTER_OTLP_ENDPOINT'], told['FLOTILLA_TELEMETRY_URL'], told['FLOTILLA_TELEMETRY_KEY']],
      ['http://collector:4318', its.origin, its.key],
    )
    assert.equal(environmentOf('cart')['FLOTILLA_TELEMETRY_URL'], undefined)
  })

  it('decides over what it was started with', () => {
    assert.equal(environmentOf('gateway')['GATEWAY_PORT'], '8080')
    assert.equal(environmentOf('cart')['GATEWAY_PORT'], undefined)
  })
})

/** `of auth` is not in `of auth-admin`; a password is in its URL. */
function secretIn(value: string, secret: string): boolean {
  return value === secret || value.includes(`:${secret}@`) || (secret === 'stolen' && value.includes(secret))
}
