import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { errorFrom } from './api.ts'

describe('errorFrom', () => {
  it('reads a problem', () => {
    const error = errorFrom(
      404,
      JSON.stringify({ code: 'not_found', reason: 'no_trace', detail: 'There is none.' }),
    )
    assert.deepEqual([error.code, error.reason, error.message], ['not_found', 'no_trace', 'There is none.'])
  })

  it('makes do with anything else', () => {
    for (const text of ['', '<html>', 'null', '[]', '"x"', '{"detail":3}']) {
      assert.equal(errorFrom(502, text).message, 'The server answered with status 502.')
    }
  })
})
