import assert from 'node:assert/strict'
import { type AddressInfo, createServer } from 'node:net'
import { describe, it } from 'node:test'
import { isFlotillaError } from '@flotilla/core/error'
import { findFreePort } from '@flotilla/core/free-port'
import { describeRefusal, gatewayOrigin, portUses, probePort, readPorts } from './ports.ts'

const isRefusal = (code: string, pattern: RegExp) => (error: unknown) =>
  isFlotillaError(error) && error.code === code && pattern.test(error.message)

describe('gatewayOrigin', () => {
  it('is https where the gateway has a certificate', () => {
    const origin = (environment: Record<string, string>) => gatewayOrigin({ gateway: 8080 }, environment)
    assert.equal(origin({}), 'http://127.0.0.1:8080')
    assert.equal(origin({ GATEWAY_TLS_CERTIFICATE: '' }), 'http://127.0.0.1:8080')
    assert.equal(origin({ GATEWAY_TLS_CERTIFICATE: 'a.pem' }), 'https://127.0.0.1:8080')
  })
})

describe('readPorts', () => {
  it('takes the option before the variable before the default', () => {
    const environment = { FLOTILLA_PORT: '9000', FLOTILLA_REGISTRY_PORT: '9001' }
    assert.deepEqual(readPorts({}, environment, '9002'), {
      gateway: 9002,
      control: 8090,
      registry: 9001,
      postgres: 15_432,
      outside: {},
    })
    assert.equal(readPorts({}, environment).gateway, 9000)
    assert.equal(readPorts({}, {}).gateway, 8080)
  })

  it('knows the outside services of an app, and their variables', () => {
    const app = {
      outside: [
        { service: 'provider', port: 8070 },
        { service: 'mailbox', port: 8025 },
      ],
    }
    const ports = readPorts(app, { FLOTILLA_PROVIDER_PORT: '9003' })
    assert.deepEqual(ports.outside, { provider: 9003, mailbox: 8025 })
    assert.deepEqual(
      portUses(ports)
        .map(({ user, hint }) => `${user} ${hint}`)
        .slice(3),
      ['postgres FLOTILLA_POSTGRES_PORT', 'provider FLOTILLA_PROVIDER_PORT', 'mailbox FLOTILLA_MAILBOX_PORT'],
    )
    assert.throws(
      () => readPorts(app, { FLOTILLA_MAILBOX_PORT: '8080' }),
      isRefusal('invalid_argument', /^Port 8080 cannot serve both gateway and mailbox\.$/),
    )
  })

  it('refuses what is no port, naming the variable', () => {
    for (const text of ['', '0', '65536', '-1', '1.5', '1e3', '0x50', ' 80', 'http', '123456']) {
      assert.throws(
        () => readPorts({}, { FLOTILLA_CONTROL_PORT: text }),
        isRefusal('invalid_argument', /^FLOTILLA_CONTROL_PORT must be a port from 1 to 65535/),
        text,
      )
    }
  })

  it('refuses one port for two', () => {
    assert.throws(
      () => readPorts({}, {}, '8090'),
      isRefusal('invalid_argument', /^Port 8090 cannot serve both gateway and control\.$/),
    )
  })
})

describe('probePort', () => {
  it('names the port that is taken, who needs it, and how to choose another', async (t) => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => {
      server.close()
    })
    const { port } = server.address() as AddressInfo
    await assert.rejects(
      probePort({ user: 'registry', port, hint: 'FLOTILLA_REGISTRY_PORT' }),
      isRefusal(
        'failed_precondition',
        new RegExp(`^Port ${port}, which the registry needs, is taken .*FLOTILLA_REGISTRY_PORT\\.$`),
      ),
    )
  })

  it('says of one that may not be opened what is true', () => {
    assert.match(describeRefusal('EACCES'), /^may only be opened by root \(EACCES\); choose$/)
    assert.match(describeRefusal('EADDRNOTAVAIL'), /^cannot be opened \(EADDRNOTAVAIL\)/)
  })

  it('leaves free ports free', async () => {
    const use = { user: 'gateway', port: await findFreePort(), hint: '' }
    await probePort(use)
    await probePort(use)
  })
})
