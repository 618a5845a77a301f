import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasNull, pathMistakes, readTagTemplate, tagMistakes, tagsOf } from './cache-tags.ts'
import { Type } from './schema.ts'

const Input = Type.Object({ id: Type.String(), output: Type.Optional(Type.String()) })
const Item = Type.Object({ sku: Type.String(), stock: Type.Union([Type.Integer(), Type.Null()]) })
const Output = Type.Object({
  items: Type.Union([Type.Array(Item), Type.Null()]),
  page: Type.Object({ number: Type.Integer() }),
})

function templates(...texts: readonly string[]) {
  return texts.map((text) => readTagTemplate(text) ?? assert.fail(text))
}

describe('tags', () => {
  it('come from names, from the input and from the output, one for every item of a list, each once', () => {
    const items = [
      { sku: 'A', stock: 1 },
      { sku: 'B', stock: null },
      { sku: 'A', stock: 2 },
    ]
    const output = { items, page: { number: 7 } }
    const all = templates(
      'things',
      'thing:{id}',
      'sku:{output.items.sku}',
      'page:{output.page.number}',
      'things',
    )
    assert.deepEqual(tagsOf(all, { id: 'x' }, output), ['things', 'thing:x', 'sku:A', 'sku:B', 'page:7'])
  })

  it('are none where there is nothing', () => {
    const all = templates('sku:{output.items.sku}', 'word:{output}', 'page:{output.page.number.of}')
    assert.deepEqual(tagsOf(all, { id: 'x' }, { items: null, page: { number: 7 } }), [])
    assert.deepEqual(tagsOf(all, undefined, undefined), [])
    assert.deepEqual(
      tagsOf(templates('word:{output}'), { output: 'w' }, {}),
      ['word:w'],
      'a field of the input',
    )
  })

  it('are checked against what there is', () => {
    const right = ['a', 'a:{id}', 'a:{output}', 'a:{output.items.sku}', 'a:{output.page.number}']
    assert.deepEqual(tagMistakes(right, Input, Output), [])
    const wrong = ['a:{sku}', 'a:{output.sku}', 'a:{output.items.toString}', 'a:{output.page.numbers}']
    assert.equal(tagMistakes(wrong, Input, Output).length, wrong.length)
    for (const text of ['', 'A', 'a:', 'a:{}', 'a:{.id}', 'a:{id}b', '{id}', 'a b', 'a:{output..id}'])
      assert.equal(readTagTemplate(text), undefined, text)
  })
})

describe('hasNull', () => {
  it('finds a null at one of the paths, also in one item of a list', () => {
    const items = [
      { sku: 'A', stock: 1 },
      { sku: 'B', stock: null },
    ]
    assert.equal(hasNull({ items }, ['items.stock']), true)
    assert.equal(hasNull({ items: items.slice(0, 1) }, ['items.stock']), false)
    assert.equal(hasNull({ items }, ['items.sku', 'other']), false)
    assert.equal(hasNull({ items: null }, ['items', 'items.stock']), true)
    assert.equal(hasNull({ items }, []), false)
    assert.deepEqual(pathMistakes(['items.stock', 'items'], Output), [])
    assert.equal(pathMistakes(['stock'], Output).length, 1)
  })
})
