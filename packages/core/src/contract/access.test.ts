import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Caller, User } from '../kernel/caller.ts'
import { anonymous } from '../kernel/caller.ts'
import { anyone, anyService, describeAccess, type Refusal, refusal, role, service, user } from './access.ts'

const ann: User = { id: 'u1', roles: ['customer'], scopes: [], tier: 'free' }
const admin: User = { ...ann, id: 'u2', roles: ['customer', 'admin'] }

const callers = {
  nobody: anonymous,
  ann: { user: ann },
  admin: { user: admin },
  'ann, key for reading': { user: { ...ann, scopes: ['orders:read', 'cart:write'] } },
  'admin, key for writing': { user: { ...admin, scopes: ['orders:write'] } },
  'service cart': { service: 'cart' },
  'service cart for admin': { service: 'cart', user: admin },
  'service search': { service: 'search' },
} satisfies Record<string, Caller>

const rules = {
  anyone,
  user,
  admin: role('admin'),
  'admin or support': role('admin', 'support'),
  'service cart': service('cart', 'checkout'),
}

/** What each caller is told when writing; a dot is "yes". */
const matrix: Record<keyof typeof callers, Record<keyof typeof rules, '.' | '401' | '403'>> = {
  nobody: { anyone: '.', user: '401', admin: '401', 'admin or support': '401', 'service cart': '403' },
  ann: { anyone: '.', user: '.', admin: '403', 'admin or support': '403', 'service cart': '403' },
  admin: { anyone: '.', user: '.', admin: '.', 'admin or support': '.', 'service cart': '403' },
  'ann, key for reading': {
    anyone: '.',
    user: '403',
    admin: '403',
    'admin or support': '403',
    'service cart': '403',
  },
  'admin, key for writing': {
    anyone: '.',
    user: '.',
    admin: '.',
    'admin or support': '.',
    'service cart': '403',
  },
  'service cart': { anyone: '.', user: '401', admin: '401', 'admin or support': '401', 'service cart': '.' },
  'service cart for admin': {
    anyone: '.',
    user: '.',
    admin: '.',
    'admin or support': '.',
    'service cart': '.',
  },
  'service search': {
    anyone: '.',
    user: '401',
    admin: '401',
    'admin or support': '401',
    'service cart': '403',
  },
}

const refusals: Record<'.' | '401' | '403', Refusal | undefined> = {
  '.': undefined,
  '401': 'unauthenticated',
  '403': 'permission_denied',
}

describe('refusal', () => {
  for (const [callerName, expected] of Object.entries(matrix)) {
    it(`refusal decides for ${callerName}`, () => {
      const caller = callers[callerName as keyof typeof callers]
      for (const [ruleName, answer] of Object.entries(expected)) {
        const rule = rules[ruleName as keyof typeof rules]
        assert.equal(refusal(rule, caller, 'orders:write'), refusals[answer], `${callerName}, ${ruleName}`)
      }
    })
  }

  it('refusal of a limited key depends on the scope, and the scope alone does not make an admin', () => {
    const reader = callers['ann, key for reading']
    assert.equal(refusal(user, reader, 'orders:read'), undefined)
    assert.equal(refusal(user, reader, 'orders:write'), 'permission_denied')
    assert.equal(refusal(role('admin'), reader, 'orders:read'), 'permission_denied')
  })

  it('refusal of a role nobody was named for is for everybody', () => {
    assert.equal(refusal(role(), callers.admin, 'orders:read'), 'permission_denied')
    assert.equal(refusal(service(), callers['service cart'], 'orders:read'), 'permission_denied')
    assert.equal(refusal(anyService, callers['service cart'], 'orders:read'), undefined)
    assert.equal(refusal(anyService, callers.admin, 'orders:read'), 'permission_denied')
  })
})

describe('describeAccess', () => {
  it('describeAccess says every rule in words', () => {
    assert.deepEqual(Object.values(rules).map(describeAccess), [
      'anyone',
      'any user',
      'users with role admin',
      'users with role admin or support',
      'service cart or checkout',
    ])
  })
})
