import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Type } from '../contract/schema.ts'
import { ConfigError, readConfig, variableName } from './config.ts'
import { readHostSettings } from './settings.ts'

const schema = Type.Object({
  apiKey: Type.String({ minLength: 20, description: 'key of the bank' }),
  retriesMax: Type.Integer({ minimum: 1, default: 3 }),
  isLive: Type.Boolean({ default: false }),
  regions: Type.Array(Type.String(), { default: [] }),
})

describe('readConfig', () => {
  it('reads variables by type and takes defaults for absent and empty ones', () => {
    const environment = {
      PAY_API_KEY: 'x'.repeat(20),
      PAY_RETRIES_MAX: '',
      PAY_IS_LIVE: 'true',
      PAY_REGIONS: 'eu, us',
    }
    assert.deepEqual(readConfig(schema, 'pay', environment), {
      apiKey: 'x'.repeat(20),
      retriesMax: 3,
      isLive: true,
      regions: ['eu', 'us'],
    })
  })

  it('names every mistake at once, by variable and purpose, without the values', () => {
    const environment = { PAY_API_KEY: 'secret', PAY_RETRIES_MAX: 'many', PAY_IS_LIVE: 'yes' }
    assert.throws(
      () => readConfig(schema, 'pay', environment),
      (error) => {
        assert.ok(error instanceof ConfigError)
        const names = error.mistakes.map((line) => line.split(' ')[0])
        assert.deepEqual(names.sort(), ['PAY_API_KEY', 'PAY_IS_LIVE', 'PAY_RETRIES_MAX'])
        assert.match(error.message, /key of the bank/)
        assert.doesNotMatch(error.message, /secret|many/)
        return true
      },
    )
  })

  it('refuses numbers that are none', () => {
    for (const text of ['1.5', ' ', '0', '1e999', '12x']) {
      const environment = { PAY_API_KEY: 'x'.repeat(20), PAY_RETRIES_MAX: text }
      assert.throws(() => readConfig(schema, 'pay', environment), ConfigError, text)
    }
  })
})

describe('variableName', () => {
  it('splits words', () => {
    assert.equal(variableName('auth', 'tokenMinutes'), 'AUTH_TOKEN_MINUTES')
    assert.equal(variableName('flotilla-database', 'gift-cards'), 'FLOTILLA_DATABASE_GIFT_CARDS')
  })
})

describe('readHostSettings', () => {
  it('tells everything that is missing', () => {
    assert.throws(
      () => readHostSettings({}),
      (error) => {
        assert.ok(error instanceof ConfigError)
        for (const name of ['SERVICES', 'INSTANCE', 'FRAMES', 'PROCESS_KEY', 'USER_KEY', 'CREDENTIAL'])
          assert.match(error.message, new RegExp(`^FLOTILLA_${name} is not set \\(`, 'm'))
        return true
      },
    )
  })
})
