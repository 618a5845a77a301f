import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readArguments, textOption, UsageError } from './arguments.ts'

const options = {
  port: { type: 'string', value: 'N', summary: 'a port' },
  detach: { type: 'boolean', summary: 'in the background' },
} as const

const isUsage = (pattern: RegExp) => (error: unknown) =>
  error instanceof UsageError && pattern.test(error.message) && !error.message.includes('\n')

describe('readArguments', () => {
  it('reads options, the common ones, and the rest, in any order', () => {
    const given = readArguments(['a', '--port', '80', '--json', 'b', '--data=/d', '--', '--port'], options)
    assert.deepEqual(given.positionals, ['a', 'b', '--port'])
    assert.deepEqual({ ...given.options }, { port: '80', json: true, data: '/d' })
    assert.equal(textOption(given, 'port'), '80')
    assert.equal(textOption(given, 'json'), undefined)
    assert.equal(textOption(given, 'detach'), undefined)
  })

  it('names what it does not know, and what lacks a value', () => {
    assert.throws(() => readArguments(['--colour', 'red'], options), isUsage(/^Unknown option '--colour'/))
    assert.throws(() => readArguments(['-x'], options), isUsage(/^Unknown option '-x'/))
    assert.throws(() => readArguments(['--port'], options), isUsage(/--port/))
    assert.throws(() => readArguments(['--detach=yes'], options), isUsage(/--detach/))
  })

  it('gives arguments or a UsageError, whatever is written', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('--port', '--json', '--', '-', '--detach=1', '--no-json'),
    )
    fc.assert(
      fc.property(fc.array(word), (args) => {
        try {
          readArguments(args, options)
        } catch (error) {
          assert.ok(error instanceof UsageError)
        }
      }),
    )
  })
})
