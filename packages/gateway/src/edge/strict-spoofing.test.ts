import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readAnswers } from './strict-answers.test.ts'
import { type SeenCall, type StrictGateway, sharedStrictGateway } from './strict-gateway.test.ts'
import { BODY, LENGTH, post } from './strict-requests.test.ts'

/** What a client could want others to take for their own word; fields with an underscore are refused, the others ignored. */
const WORD = 'spoofed-7'
const ADDRESS = '198.51.100.7'
const TRACE = '0123456789abcdef0123456789abcdef'

/** Names of who asks, as proxies, clouds and frameworks write them. */
const who = [
  'X-User',
  'X-User-Id',
  'X-Userid',
  'X-Username',
  'X-User-Roles',
  'X-User-Email',
  'X-Roles',
  'X-Role',
  'X-Scopes',
  'X-Tier',
  'X-Tenant',
  'X-Tenant-Id',
  'X-Account',
  'X-Admin',
  'X-Caller',
  'X-Service',
  'X-Internal',
  'X-Authenticated-User',
  'X-Auth-Request-User',
  'X-Auth-User',
  'X-Remote-User',
  'Remote-User',
  'X-Forwarded-User',
  'X-Forwarded-Email',
  'X-Forwarded-Groups',
  'X-Forwarded-Client-Cert',
  'X-Client-Cert',
  'X-Ssl-Client-Cert',
  'X-Ssl-Client-S-Dn',
  'X-Amzn-Oidc-Identity',
  'X-Jwt-Payload',
  'X-Flotilla-User',
  'X-Flotilla-Service',
  'X-Flotilla-Caller',
  'Flotilla-Caller',
  'Flotilla-User',
  'Flotilla-Token',
  'X-Consumer-Id',
] as const

/** Names of where a request comes from, with what they would say. */
const where: Readonly<Record<string, string>> = {
  'X-Forwarded-For': ADDRESS,
  Forwarded: `for=${ADDRESS};by=${ADDRESS};host=evil.test;proto=https`,
  'X-Real-Ip': ADDRESS,
  'X-Client-Ip': ADDRESS,
  'True-Client-Ip': ADDRESS,
  'Cf-Connecting-Ip': ADDRESS,
  'Fastly-Client-Ip': ADDRESS,
  'X-Cluster-Client-Ip': ADDRESS,
  'X-Originating-Ip': ADDRESS,
  'X-Remote-Addr': ADDRESS,
  'X-Envoy-External-Address': ADDRESS,
  'X-Forwarded-Host': 'evil.test',
  'X-Forwarded-Server': 'evil.test',
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Port': '443',
  'X-Forwarded-Prefix': '/api/v1/seen',
  'X-Forwarded-Uri': '/api/v1/seen',
  'X-Host': 'evil.test',
  Via: '1.1 evil.test',
}

/** Names of how a call is to be treated, and of what it belongs to. */
const how: Readonly<Record<string, string>> = {
  'X-Original-Url': '/api/v1/seen',
  'X-Original-Uri': '/api/v1/seen',
  'X-Rewrite-Url': '/api/v1/seen',
  'X-Criticality': 'sheddable',
  'X-Flotilla-Criticality': 'sheddable',
  'Flotilla-Criticality': 'sheddable',
  'X-Priority': 'sheddable',
  'X-Deadline': '9999999999999',
  'X-Flotilla-Deadline': '9999999999999',
  'Flotilla-Deadline': '9999999999999',
  'X-Timeout': '9999999999999',
  'Grpc-Timeout': '99999999H',
  'Request-Timeout': '9999999999',
  'X-Envoy-Upstream-Rq-Timeout-Ms': '9999999999',
  Traceparent: `00-${TRACE}-0123456789abcdef-01`,
  Tracestate: `flotilla=${WORD}`,
  Baggage: `user=${WORD}`,
  B3: `${TRACE}-0123456789abcdef-1`,
  'X-B3-Traceid': TRACE,
  'X-Trace-Id': TRACE,
  'X-Cloud-Trace-Context': `${TRACE}/1;o=1`,
  'X-Amzn-Trace-Id': `Root=${TRACE}`,
  'Uber-Trace-Id': `${TRACE}:1:0:1`,
  'X-Correlation-Id': WORD,
  'X-Idempotency-Key': WORD,
  'Flotilla-Idempotency-Key': WORD,
  'X-Instance': WORD,
  'X-Api-Version': WORD,
  Cookie: `user=${WORD}; session=${WORD}`,
  'Proxy-Authorization': `Bearer ${WORD}`,
  From: 'admin@gateway.test',
}

/** Fields that Connection names are dropped by some proxies, and kept by others. */
const hops = [
  'X-User-Id',
  'X-Forwarded-For',
  'Authorization',
  'Host',
  'Content-Length',
  'X-Criticality, Traceparent',
  'Cookie',
] as const

const lineOf = (name: string, value: string): string => `${name}: ${value}\r\n`
const single = [
  ...who.map((name) => lineOf(name, WORD)),
  ...Object.entries({ ...where, ...how }).map(([name, value]) => lineOf(name, value)),
]
const spoofs: readonly string[] = [
  ...single,
  ...single.slice(0, 5).map((line) => line.toUpperCase().replace(WORD.toUpperCase(), WORD)),
  ...hops.map((names) => lineOf('Connection', names) + lineOf('X-User-Id', WORD)),
  ...['X-Forwarded-For', 'Forwarded'].map((name) => lineOf(name, ADDRESS).repeat(3)),
]
const underscored = [
  'X_User_Id',
  'X_Forwarded_For',
  'X-User_Id',
  'Idempotency_Key',
  'X_Criticality',
  'Trace_Parent',
  'Authorization_',
]

/** What must not follow from what the client says. */
function knownOf({ ctx, input, operation }: SeenCall): unknown {
  const { caller, criticality, idempotencyKey } = ctx
  return { operation, input, caller, criticality, idempotencyKey }
}

describe('The context of a call', { timeout: 120_000 }, () => {
  const gateway = sharedStrictGateway()

  /** The one call that follows from a command with these fields. */
  const callWith = async ({ raw, calls }: StrictGateway, lines: string): Promise<SeenCall> => {
    calls.length = 0
    const text = await raw(post(`Connection: close\r\n${lines}${LENGTH}`, BODY))
    const { answers, wrong } = readAnswers(text, () => false)
    assert.equal(wrong, undefined)
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200],
    )
    const own = [...(answers[0]?.headers ?? [])].map(([name, value]) => `${name}: ${value}`).join('\n')
    for (const said of [WORD, ADDRESS, TRACE, 'evil.test'])
      assert.ok(!own.includes(said), `the answer says ${said}`)
    assert.equal(calls.length, 1)
    return calls[0] as SeenCall
  }

  const assertOwn = (honest: SeenCall, spoofed: SeenCall): void => {
    assert.deepEqual(knownOf(spoofed), knownOf(honest))
    assert.notEqual(spoofed.ctx.trace.traceId, TRACE)
    assert.notEqual(spoofed.ctx.requestId, WORD)
    const laterMs = spoofed.ctx.deadlineMs - honest.ctx.deadlineMs
    assert.ok(laterMs >= 0 && laterMs < 120_000, `the deadline is ${laterMs} ms later`)
  }

  it('is the same whatever single field the client sends', async () => {
    assert.ok(spoofs.length >= 60)
    const its = gateway()
    const honest = await callWith(its, '')
    assert.deepEqual(honest.ctx.caller, { service: 'gateway', token: undefined, user: undefined })
    for (const lines of spoofs) assertOwn(honest, await callWith(its, lines))
  })

  it('is the same when they all come at once, as many as fit', async () => {
    const its = gateway()
    const honest = await callWith(its, '')
    const half = Math.ceil(single.length / 2)
    assertOwn(honest, await callWith(its, single.slice(0, half).join('')))
    assertOwn(honest, await callWith(its, single.slice(half).join('')))
  })

  it('is not asked for with underscores', async () => {
    const { raw, calls } = gateway()
    for (const name of underscored) {
      calls.length = 0
      const { answers } = readAnswers(await raw(post(lineOf(name, WORD) + LENGTH, BODY)), () => false)
      assert.deepEqual([answers.map(({ status }) => status), calls.length], [[400], 0], name)
    }
  })

  it('is what the access log tells, whose address is that of the connection', async () => {
    const { app, accessLog } = gateway()
    await app.hostOf('gateway').close()
    const lines = accessLog()
    assert.ok(lines.length > spoofs.length)
    for (const line of lines) {
      assert.equal(line['client_ip'], '127.0.0.1')
      assert.equal(line['user_id'], undefined)
      assert.notEqual(line['trace_id'], TRACE)
      assert.notEqual(line['request_id'], WORD)
      // It is told apart from ours, to find a client's own record by.
      const { parent_trace_id: _, ...others } = line
      const text = JSON.stringify(others)
      for (const said of [WORD, ADDRESS, TRACE]) assert.ok(!text.includes(said), text)
    }
  })
})
