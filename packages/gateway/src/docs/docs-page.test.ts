import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { anyone } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { openApiDocument } from '@flotilla/core/openapi'
import { query } from '@flotilla/core/operation'
import { Type } from '@flotilla/core/schema'
import { docsPage } from './docs-page.ts'

const NASTY = '<script>alert("x")</script>'
const contract = defineContract({
  name: 'things',
  version: 1,
  summary: `Things ${NASTY}`,
  operations: {
    get: query({
      summary: `Gives one ${NASTY}`,
      access: anyone,
      http: 'GET /things/{id}',
      input: Type.Object({
        id: Type.String({ description: NASTY, minLength: 1, maxLength: 9 }),
        password: Type.Optional(Type.String({ minLength: 15, maxLength: 256 })),
      }),
      output: Type.Object({ id: Type.String() }, { title: 'Thing' }),
      reasons: { gone: { code: 'not_found', title: `It is gone ${NASTY}` } },
    }),
  },
})

describe('docsPage', () => {
  const document = openApiDocument({ contracts: [contract], title: NASTY, description: NASTY, version: '1' })
  const { html, contentSecurityPolicy } = docsPage(document)

  it('tells of every operation and links its shapes', () => {
    assert.match(html, /<article id="things\.get">/)
    assert.match(html, /<pre><a href="#shape-Thing">Thing<\/a><\/pre>/)
    assert.match(html, /<article id="shape-Thing">/)
    assert.match(html, /text ≤ 9/)
    assert.match(html, /text 15…256/)
    for (const [, target = ''] of html.matchAll(/href="#([^"]+)"/g))
      assert.ok(html.includes(`id="${target}"`), target)
  })

  it('shows text as text', () => {
    assert.doesNotMatch(html, /<script|alert\("x"\)/)
    assert.match(html, /&lt;script&gt;alert\(&quot;x&quot;\)/)
  })

  it('allows its one style sheet and nothing else', () => {
    const [, style = ''] = /<style>(.*?)<\/style>/s.exec(html) ?? []
    const hash = createHash('sha256').update(style).digest('base64')
    assert.match(contentSecurityPolicy, /^default-src 'none'; style-src 'sha256-/)
    assert.ok(contentSecurityPolicy.includes(hash))
    assert.doesNotMatch(html, / style=| on\w+=|https?:\/\//)
  })
})
