import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Code, codes } from '../kernel/code.ts'
import { FlotillaError } from '../kernel/error.ts'
import { errorOfProblem, problemOf } from './problem.ts'

const anyError = fc
  .record({
    code: fc.constantFrom(...(Object.keys(codes) as Code[])),
    message: fc.string(),
    options: fc.record(
      {
        reason: fc.constantFrom('out_of_stock', 'price_changed'),
        status: fc.integer({ min: 400, max: 599 }),
        executed: fc.constantFrom<'no' | 'maybe'>('no', 'maybe'),
        issues: fc.array(fc.record({ pointer: fc.string(), message: fc.string() })),
        data: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ code, message, options }) => new FlotillaError(code, message, options))

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe('problemOf', () => {
  it('problemOf is read back by errorOfProblem, but for what HTTP does not tell: whether it ran', () => {
    fc.assert(
      fc.property(anyError, fc.option(fc.nat(600), { nil: undefined }), (error, retryAfterS) => {
        const arrived = errorOfProblem(error.status, asJson(problemOf(error, 't1')), retryAfterS)
        const { code, message, reason, issues, data } = error.toBody()
        assert.deepEqual(
          asJson(arrived.toBody()),
          asJson({
            code,
            message,
            executed: 'maybe',
            reason,
            status: error.status,
            retryAfterMs: retryAfterS === undefined ? undefined : retryAfterS * 1_000,
            issues,
            data,
          }),
        )
        assert.equal(arrived.isRemote, true)
      }),
    )
  })

  it('problemOf names the kind of problem by reason, else by code, and leaves out what there is not', () => {
    assert.deepEqual(problemOf(new FlotillaError('not_found', 'No such order.'), 't1'), {
      type: 'urn:flotilla:code:not_found',
      title: 'Not found',
      status: 404,
      code: 'not_found',
      detail: 'No such order.',
      traceId: 't1',
    })
    const options = { reason: 'out_of_stock', status: 409, data: { left: 2 }, cause: new Error('secret') }
    assert.deepEqual(problemOf(new FlotillaError('failed_precondition', 'Only 2 left.', options), 't1'), {
      type: 'urn:flotilla:reason:out_of_stock',
      title: 'The state does not allow this',
      status: 409,
      code: 'failed_precondition',
      reason: 'out_of_stock',
      detail: 'Only 2 left.',
      traceId: 't1',
      data: { left: 2 },
    })
  })
})

describe('errorOfProblem', () => {
  it('errorOfProblem makes an error of whatever a stranger answers', () => {
    const anyBody = fc.oneof(
      fc.anything(),
      fc.record({ code: fc.anything(), detail: fc.anything(), title: fc.anything(), errors: fc.anything() }),
    )
    fc.assert(
      fc.property(fc.integer({ min: 400, max: 599 }), anyBody, (status, body) => {
        const error = errorOfProblem(status, body, undefined)
        assert.equal(error.status, status)
        assert.ok(error.code in codes)
        assert.equal(error.executed, 'maybe')
      }),
    )
  })

  it('errorOfProblem finds a code for every status, and says the status when there is no text', () => {
    const codeOf = (status: number): Code => errorOfProblem(status, undefined, undefined).code
    assert.deepEqual([400, 401, 403, 404, 409, 418, 429, 500, 502, 503, 504, 599].map(codeOf), [
      'invalid_argument',
      'unauthenticated',
      'permission_denied',
      'not_found',
      'aborted',
      'invalid_argument',
      'resource_exhausted',
      'internal',
      'unavailable',
      'unavailable',
      'deadline_exceeded',
      'internal',
    ])
    assert.equal(errorOfProblem(502, '<html>', undefined).message, 'HTTP status 502')
    assert.equal(errorOfProblem(502, { title: 'Bad Gateway' }, undefined).message, 'Bad Gateway')
  })
})
