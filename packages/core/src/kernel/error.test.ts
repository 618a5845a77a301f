import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Code, codes } from './code.ts'
import { asSeenUpstream, type ErrorOptions, FlotillaError, isFlotillaError, isRetryable } from './error.ts'

const anyCode = fc.constantFrom(...(Object.keys(codes) as Code[]))
const anyReason = fc.constantFrom('out_of_stock', 'price_changed', 'toString')
const anyOptions: fc.Arbitrary<ErrorOptions> = fc.record(
  {
    reason: anyReason,
    status: fc.integer({ min: 400, max: 599 }),
    executed: fc.constantFrom('no', 'maybe'),
    retryAfterMs: fc.nat(),
    isExhausted: fc.boolean(),
    isOverloaded: fc.boolean(),
    issues: fc.array(fc.record({ pointer: fc.string(), message: fc.string() })),
    data: fc.jsonValue(),
  },
  { requiredKeys: [] },
)
const anyError = fc
  .tuple(anyCode, fc.string(), anyOptions, fc.boolean())
  .map(([code, message, options, isRemote]) => new FlotillaError(code, message, options, isRemote))
const anyDeclared = fc.dictionary(anyReason, fc.constant({ code: 'internal' }))

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const overTheWire = (error: FlotillaError): FlotillaError => FlotillaError.fromBody(asJson(error.toBody()))

describe('FlotillaError', () => {
  it('FlotillaError crosses the wire unchanged, but for the mark that it is remote', () => {
    fc.assert(
      fc.property(anyError, (error) => {
        const arrived = overTheWire(error)
        for (const field of [
          'code',
          'message',
          'executed',
          'reason',
          'status',
          'retryAfterMs',
          'isExhausted',
          'isOverloaded',
        ] as const) {
          assert.equal(arrived[field], error[field], field)
        }
        assert.deepEqual({ issues: arrived.issues }, { issues: error.issues && asJson(error.issues) })
        assert.deepEqual(
          { data: arrived.data },
          { data: error.data === undefined ? undefined : asJson(error.data) },
        )
        assert.equal(arrived.isRemote, true)
      }),
    )
  })

  it('FlotillaError keeps its cause and its stack at home', () => {
    const error = new FlotillaError('internal', 'Broken.', { cause: new Error('secret') })
    assert.equal((error.cause as Error).message, 'secret')
    assert.deepEqual(error.toBody(), { code: 'internal', message: 'Broken.', executed: 'maybe' })
  })

  it('FlotillaError.fromBody makes an error of whatever arrives, and a well-formed one', () => {
    const almost = fc.record(
      {
        code: fc.oneof(anyCode, fc.anything()),
        message: fc.anything(),
        reason: fc.anything(),
        status: fc.oneof(fc.integer(), fc.anything()),
        executed: fc.anything(),
        retryAfterMs: fc.oneof(fc.double(), fc.anything()),
        isExhausted: fc.anything(),
        isOverloaded: fc.anything(),
        issues: fc.oneof(fc.array(fc.anything()), fc.anything()),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.oneof(almost, fc.anything()), (value) => {
        const error = FlotillaError.fromBody(value)
        assert.ok(error.code in codes)
        assert.equal(typeof error.message, 'string')
        assert.ok(error.status >= 400 && error.status <= 599)
        assert.ok(error.executed === 'no' || error.executed === 'maybe')
        assert.ok(error.retryAfterMs === undefined || error.retryAfterMs >= 0)
        for (const issue of error.issues ?? []) assert.equal(typeof issue.pointer, 'string')
      }),
    )
  })

  it('FlotillaError.fromBody takes a code it does not know for unknown, and promises nothing', () => {
    const error = FlotillaError.fromBody({ code: 'from_the_future', executed: 'no', reason: 'x' })
    assert.equal(error.code, 'unknown')
    assert.equal(error.executed, 'maybe')
    assert.equal(error.reason, undefined)
  })
})

describe('isFlotillaError', () => {
  it('isFlotillaError recognises one made by another copy of the module', async () => {
    const copy = (await import(new URL('./error.js?copy', import.meta.url).href)) as {
      FlotillaError: typeof FlotillaError
    }
    const error = new copy.FlotillaError('internal', 'Broken.')
    assert.equal(error instanceof FlotillaError, false)
    assert.equal(isFlotillaError(error), true)
    for (const other of [new Error('no'), { name: 'FlotillaError', executed: 'no' }, null, 'FlotillaError']) {
      assert.equal(isFlotillaError(other), false)
    }
  })
})

describe('isRetryable', () => {
  it('isRetryable is: hopeful, and not used up below, and safe', () => {
    fc.assert(
      fc.property(anyError, fc.boolean(), (error, isIdempotent) => {
        const isHopeful = codes[error.code].isTransient && !error.isExhausted
        const isSafe = error.executed === 'no' || isIdempotent
        assert.equal(isRetryable(error, isIdempotent), isHopeful && isSafe)
      }),
    )
  })
})

describe('asSeenUpstream', () => {
  it('asSeenUpstream never lets the retry of a call that is not idempotent through', () => {
    fc.assert(
      fc.property(fc.oneof(anyError, fc.anything()), anyDeclared, (error, declared) => {
        const seen = asSeenUpstream(error, declared)
        assert.equal(isRetryable(seen, false), false)
        assert.equal(isRetryable(overTheWire(seen), false), false)
      }),
    )
  })

  it('asSeenUpstream lets no retry through once the retries further down are used up', () => {
    fc.assert(
      fc.property(anyError, anyDeclared, (error, declared) => {
        fc.pre(error.isExhausted)
        assert.equal(isRetryable(asSeenUpstream(error, declared), true), false)
      }),
    )
  })

  it('asSeenUpstream leaves the retries of a call further down to the service next to it', () => {
    fc.assert(
      fc.property(anyError, (error) => {
        assert.equal(isRetryable(asSeenUpstream(overTheWire(error), {}), true), false)
      }),
    )
  })

  it('asSeenUpstream passes a declared reason on, whoever gave it', () => {
    fc.assert(
      fc.property(anyError, anyReason, (error, reason) => {
        const meant = new FlotillaError(
          error.code,
          error.message,
          { ...error.toBody(), reason },
          error.isRemote,
        )
        const seen = asSeenUpstream(meant, { [reason]: {} })
        assert.deepEqual(seen.toBody(), { ...meant.toBody(), executed: 'maybe' })
        assert.equal(seen.isRemote, false)
      }),
    )
  })

  it('asSeenUpstream passes on what the handler itself raised without a reason', () => {
    const own = new FlotillaError('not_found', 'No such order.', { executed: 'no', data: { id: 'o1' } })
    const seen = asSeenUpstream(own, {})
    assert.deepEqual(seen.toBody(), { ...own.toBody(), executed: 'maybe' })
    assert.equal(seen.cause, own)
  })

  it('asSeenUpstream tells nothing of what a callee said, and keeps it as the cause', () => {
    fc.assert(
      fc.property(anyError, (error) => {
        const remote = new FlotillaError(error.code, 'secret', { ...error.toBody(), reason: 'hidden' }, true)
        const seen = asSeenUpstream(remote, { declared: {} })
        assert.doesNotMatch(JSON.stringify(seen.toBody()), /secret|hidden|data|issues/)
        assert.equal(seen.cause, remote)
      }),
    )
  })

  it('asSeenUpstream translates the code of a callee: late stays late, transient is unavailable, else internal', () => {
    const seen = (code: Code): Code => asSeenUpstream(overTheWire(new FlotillaError(code, '')), {}).code
    for (const [code, { isTransient }] of Object.entries(codes) as [Code, { isTransient: boolean }][]) {
      const isTold = code === 'deadline_exceeded' || code === 'canceled'
      assert.equal(seen(code), isTold ? code : isTransient ? 'unavailable' : 'internal', code)
      assert.match(asSeenUpstream(overTheWire(new FlotillaError(code, '')), {}).message, /\.$/)
    }
  })

  it('asSeenUpstream takes a reason the contract does not declare, also one every object has, for internal', () => {
    for (const reason of ['undeclared', 'toString']) {
      const seen = asSeenUpstream(new FlotillaError('not_found', 'x', { reason }), {})
      assert.equal(seen.code, 'internal')
      assert.equal(seen.reason, undefined)
    }
  })

  it('asSeenUpstream shows nothing of an error that is not ours', () => {
    const crash = new TypeError('cannot read password of undefined')
    const seen = asSeenUpstream(crash, {})
    assert.deepEqual(seen.toBody(), { code: 'internal', message: 'Internal error.', executed: 'maybe' })
    assert.equal(seen.cause, crash)
  })
})
