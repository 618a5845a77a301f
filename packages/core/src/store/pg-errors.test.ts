import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import pg from 'pg'
import { FlotillaError } from '../kernel/error.ts'
import { fromDriver, isConflict, isUniqueViolation, sqlFailureOf } from './pg-errors.ts'

function serverError(code: string, fields: Partial<pg.DatabaseError> = {}): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('the server says s3cret', 0, 'error'), { code, ...fields })
}

describe('fromDriver', () => {
  it('finds the code by the state, then by its class, else internal', () => {
    const codeOf = (state: string): string => fromDriver(serverError(state), 'maybe').code
    assert.equal(codeOf('23505'), 'already_exists')
    assert.equal(codeOf('40001'), 'aborted')
    assert.equal(codeOf('53100'), 'unavailable')
    assert.equal(codeOf('57014'), 'deadline_exceeded')
    assert.equal(codeOf('57P01'), 'unavailable')
    assert.equal(codeOf('XX001'), 'data_loss')
    assert.equal(codeOf('XX000'), 'internal')
    assert.equal(codeOf('42703'), 'internal')
    assert.equal(codeOf('22021'), 'invalid_argument')
    assert.equal(codeOf('22P02'), 'internal')
  })

  it('shows the caller a fixed text, and the log no quoted values', () => {
    const quoting = fromDriver(serverError('22P02', { detail: 's3cret' }), 'maybe', 'select $1')
    assert.doesNotMatch(JSON.stringify([quoting.toBody(), quoting.cause, String(quoting.cause)]), /s3cret/)
    const other = fromDriver(serverError('42703', { detail: 's3cret' }), 'maybe', 'x'.repeat(1_000))
    assert.doesNotMatch(JSON.stringify(other.toBody()), /s3cret/)
    assert.equal(sqlFailureOf(other)?.message, 'SQLSTATE 42703: the server says s3cret')
    assert.equal(sqlFailureOf(other)?.statement?.length, 300)
  })

  it('takes everything without a state for a lost connection', () => {
    const error = fromDriver(new Error('Connection terminated unexpectedly'), 'maybe')
    assert.equal(error.code, 'unavailable')
    assert.equal(error.executed, 'maybe')
    assert.equal(fromDriver(new Error('ECONNREFUSED'), 'no').executed, 'no')
  })

  it('passes our own errors on', () => {
    const own = new FlotillaError('canceled', 'The caller gave up.')
    assert.equal(fromDriver(own, 'maybe'), own)
  })
})

describe('isUniqueViolation', () => {
  it('recognises the state, and the constraint when asked, through any wrapping', () => {
    const error = fromDriver(serverError('23505', { constraint: 'user_email_key' }), 'maybe')
    const wrapped = new Error('registering failed', { cause: error })
    assert.ok(isUniqueViolation(error))
    assert.ok(isUniqueViolation(wrapped, 'user_email_key'))
    assert.ok(!isUniqueViolation(wrapped, 'user_pkey'))
    assert.ok(!isUniqueViolation(fromDriver(serverError('23503'), 'maybe')))
    assert.ok(!isUniqueViolation(undefined))
  })

  it('is not hung by causes in a circle', () => {
    const error = new Error('a')
    error.cause = error
    assert.ok(!isUniqueViolation(error))
  })
})

describe('isConflict', () => {
  it('is true for serialization failures, deadlocks and stale plans only', () => {
    const conflict = (code: string, routine?: string): boolean =>
      isConflict(fromDriver(serverError(code, { routine }), 'maybe'))
    assert.ok(conflict('40001'))
    assert.ok(conflict('40P01'))
    assert.ok(conflict('0A000', 'RevalidateCachedQuery'))
    assert.ok(!conflict('0A000', 'somewhere else'))
    assert.ok(!conflict('55P03'))
    assert.ok(!conflict('23505'))
  })
})
