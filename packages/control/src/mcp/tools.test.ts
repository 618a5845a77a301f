import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { refusal } from '@flotilla/core/access'
import { tools } from './tools.ts'

describe('tools', () => {
  it('are queries that a viewer may ask, and nothing else', () => {
    const user = { id: 'console', roles: ['viewer'], scopes: [], tier: 'enterprise' }
    for (const { name, operation } of tools) {
      assert.equal(operation.kind, 'query', name)
      assert.equal(refusal(operation.access, { user }, operation.scope), undefined, name)
    }
  })

  it('have names of their own, and words for each field of what they take', () => {
    assert.equal(new Set(tools.map(({ name }) => name)).size, tools.length)
    for (const { name, operation, fields, description } of tools) {
      assert.match(name, /^[a-z][a-z_]*$/)
      const { properties = {} } = operation.input as { properties?: object }
      assert.deepEqual(Object.keys(fields).sort(), Object.keys(properties).sort(), name)
      assert.ok(description.length < 500, name)
    }
  })
})
