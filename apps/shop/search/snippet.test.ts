import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { snippetOf } from './snippet.ts'

describe('snippetOf', () => {
  it('has no markup but <b> around what was marked, whatever the text', () => {
    const texts = fc.array(fc.string({ unit: fc.constantFrom('<', '>', '&', '"', "'", 'b', '/', 'a', ' ') }))
    fc.assert(
      fc.property(texts, (parts) => {
        const marked = parts.map((part, index) => (index % 2 === 0 ? part : `\uE000${part}\uE001`))
        const html = snippetOf(marked.join(''))
        const rest = html.replaceAll(/<\/?b>/g, '')
        assert.doesNotMatch(rest, /[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/)
        assert.equal(html.split('<b>').length, 1 + Math.floor(parts.length / 2))
        const text = rest
          .replaceAll('&lt;', '<')
          .replaceAll('&gt;', '>')
          .replaceAll('&quot;', '"')
          .replaceAll('&#39;', "'")
          .replaceAll('&amp;', '&')
        assert.equal(text, parts.join(''))
      }),
    )
  })
})
