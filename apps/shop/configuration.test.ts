/** docs/configuration.md tells of every setting of every service, and of none that is not there. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { outsidePortVariable } from '@flotilla/core/app'
import { variableName } from '@flotilla/core/config'
import { app } from './app.ts'

const page = readFileSync(
  new URL('../../docs/configuration.md', import.meta.resolve('@flotilla/shop/package.json')),
  'utf8',
)

interface Field {
  readonly default?: unknown
  readonly description?: string
}

/** The rows a service's settings should have. */
async function rowsOf(name: string): Promise<readonly string[]> {
  const service = await app.services[name]?.()
  const { properties = {} } = (service?.config ?? {}) as { properties?: Readonly<Record<string, Field>> }
  return Object.entries(properties).map(([field, { default: fallback, description = '' }]) => {
    const shown = fallback === undefined || String(fallback) === '' ? '' : `\`${fallback}\``
    return `| \`${variableName(name, field)}\` | ${shown} | ${description} |`
  })
}

describe('docs/configuration.md', () => {
  it('tells of the ports of services that stand for the outside world, below those that the system gives away', () => {
    for (const { service, port } of app.outside ?? []) {
      assert.ok(page.includes(`| \`${outsidePortVariable(service)}\` | \`${port}\` | `), service)
      assert.ok(port < 32_768)
    }
  })

  for (const name of Object.keys(app.services)) {
    it(`tells of the settings of ${name}`, async () => {
      const prefix = `| \`${variableName(name, 'x').slice(0, -1)}`
      const told = page.split('\n').filter((line) => line.startsWith(prefix))
      assert.deepEqual(told.toSorted(), (await rowsOf(name)).toSorted())
    })
  }
})
