import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { seededRandom } from '@flotilla/core/random'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { CLIENT_ID, DemoIssuer, type Step } from './issuer.ts'
import { people } from './people.ts'

const ISSUER = 'http://127.0.0.1:8060'
const REDIRECT_URI = 'http://127.0.0.1:8080/back'
/** With all that encoders differ in. */
const SECRET = "a secret: with+signs-_.!~*'()&%"
const VERIFIER = 'v'.repeat(43)
const [ada] = people as [(typeof people)[0]]

async function openIssuer() {
  const clock = new VirtualClock(1_700_000_000_000)
  const issuer = await DemoIssuer.open({
    issuer: ISSUER,
    clientSecret: SECRET,
    redirectUris: [REDIRECT_URI],
    ports: { clock, random: seededRandom(1) },
  })
  const ask = (changes: Readonly<Record<string, string | undefined>> = {}): Step => {
    const honest = {
      client_id: CLIENT_ID,
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope: 'openid email',
      state: 's',
      nonce: 'n',
      code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
      code_challenge_method: 'S256',
      ...changes,
    }
    const given = Object.entries(honest).filter((pair): pair is [string, string] => pair[1] !== undefined)
    return issuer.begin(new URLSearchParams(given))
  }
  const login = (): string => {
    const back = issuer.choose((ask() as { request: string }).request, ada.subject) as { location: string }
    return new URL(back.location).searchParams.get('code') as string
  }
  const token = (code: string, changes: object = {}, authorization = basic(SECRET)) =>
    issuer.token(
      authorization,
      new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        code_verifier: VERIFIER,
        redirect_uri: REDIRECT_URI,
        ...changes,
      }),
    )
  return { clock, issuer, ask, login, token }
}

const hex = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase()}`

const basic = (secret: string): string => {
  const encoded = new URLSearchParams({ x: secret }).toString().slice(2)
  return `Basic ${Buffer.from(`${CLIENT_ID}:${encoded}`).toString('base64')}`
}

describe('DemoIssuer', () => {
  it('tells the client who came, in a token that its keys verify', async () => {
    const { clock, issuer, login, token } = await openIssuer()
    const { status, body } = await token(login())
    assert.equal(status, 200)
    const { payload } = await jwtVerify(
      body['id_token'] as string,
      createLocalJWKSet(issuer.jwks as Parameters<typeof createLocalJWKSet>[0]),
      { issuer: ISSUER, audience: CLIENT_ID, currentDate: new Date(clock.now()), algorithms: ['ES256'] },
    )
    assert.deepEqual(
      [payload.sub, payload['nonce'], payload['email'], payload['email_verified']],
      [ada.subject, 'n', ada.email, true],
    )
  })

  it('sends browsers nowhere but where the client is known to be', async () => {
    const { ask } = await openIssuer()
    for (const changes of [
      { client_id: 'another' },
      { client_id: undefined },
      { redirect_uri: undefined },
      { redirect_uri: `${REDIRECT_URI}/` },
      { redirect_uri: `${REDIRECT_URI}?x=1` },
      { redirect_uri: 'http://127.0.0.1:8080/BACK' },
      { redirect_uri: 'https://evil.test/back' },
    ])
      assert.ok('mistake' in ask(changes), JSON.stringify(changes))
  })

  it('sends those back who ask for what there is not, saying who sends them', async () => {
    const { ask } = await openIssuer()
    for (const [error, changes] of [
      ['unsupported_response_type', { response_type: 'token' }],
      ['unsupported_response_type', { response_type: 'code id_token' }],
      ['invalid_scope', { scope: 'email' }],
      ['invalid_request', { code_challenge_method: 'plain' }],
      ['invalid_request', { code_challenge_method: undefined }],
      ['invalid_request', { code_challenge: undefined }],
      ['invalid_request', { code_challenge: 'short' }],
    ] as const) {
      const { location } = ask(changes) as { location: string }
      const { searchParams, origin, pathname } = new URL(location)
      assert.equal(origin + pathname, REDIRECT_URI)
      assert.deepEqual(Object.fromEntries(searchParams), { error, state: 's', iss: ISSUER })
    }
  })

  it('sends those back who choose to be nobody', async () => {
    const { ask, issuer } = await openIssuer()
    const { request } = ask() as { request: string }
    const { location } = issuer.choose(request, '') as { location: string }
    assert.equal(new URL(location).searchParams.get('error'), 'access_denied')
    assert.ok('mistake' in issuer.choose(request, ada.subject), 'a page is good for one choice')
  })

  it('takes a code once, within a minute, from its client with its proof and address', async () => {
    const { clock, login, token } = await openIssuer()
    const code = login()
    assert.equal((await token(code)).status, 200)
    assert.deepEqual((await token(code)).body, { error: 'invalid_grant' })
    for (const changes of [
      { code_verifier: 'w'.repeat(43) },
      { code_verifier: '' },
      { redirect_uri: 'http://127.0.0.1:8080/other' },
      { code: 'unknown' },
    ])
      assert.deepEqual(
        (await token(login(), changes)).body,
        { error: 'invalid_grant' },
        JSON.stringify(changes),
      )
    const escaped = Buffer.from(
      [CLIENT_ID, SECRET].map((text) => encodeURIComponent(text).replace(/[-_.!~*'()]/g, hex)).join(':'),
    )
    assert.equal((await token(login(), {}, `Basic ${escaped.toString('base64')}`)).status, 200)
    const guessed = login()
    await token(guessed, { code_verifier: 'w'.repeat(43) })
    assert.equal((await token(guessed)).status, 400, 'who guesses at a code has spent it')
    const late = login()
    await clock.advance(60_000)
    assert.equal((await token(late)).status, 400)
    for (const authorization of [basic('another secret, as long'), 'Bearer x', ''])
      assert.equal((await token(login(), {}, authorization)).status, 401)
    assert.deepEqual((await token(login(), { grant_type: 'password' })).body, {
      error: 'unsupported_grant_type',
    })
  })
})
