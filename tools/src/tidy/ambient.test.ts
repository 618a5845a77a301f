import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkAmbient } from './ambient.ts'
import { repositoryOf } from './repository.ts'

const ALLOWED = {
  ambient: [
    { path: 'packages/core/src/kernel/', reason: 'ports' },
    { path: '*.test.ts', names: ['setImmediate'], reason: 'tests' },
  ],
}

/** The names that are refused in `text`. */
function refused(text: string, path = 'packages/core/src/wire/a.ts'): string[] {
  const repository = repositoryOf({ [path]: text, 'tools/src/tidy/allowed.json': JSON.stringify(ALLOWED) })
  return checkAmbient(repository).map(({ message }) => message.split(' ')[0] ?? '')
}

describe('checkAmbient', () => {
  for (const [text, name] of Object.entries({
    'Date.now()': 'Date',
    'new Date()': 'Date',
    'Date.parse(text)': 'Date',
    'const make = Date': 'Date',
    'const ports = { Date }': 'Date',
    'value instanceof Date': 'Date',
    'globalThis.Date.now()': 'Date',
    "globalThis['Date']": 'Date',
    'performance.now()': 'performance',
    'setTimeout(run, 5)': 'setTimeout',
    'setInterval(run, 5)': 'setInterval',
    'setImmediate(run)': 'setImmediate',
    'queueMicrotask(run)': 'queueMicrotask',
    'process.nextTick(run)': 'process.nextTick',
    'process.hrtime.bigint()': 'process.hrtime',
    'Math.random()': 'Math.random',
    'const { floor } = Math; Math?.random()': 'Math.random',
    'crypto.randomUUID()': 'crypto.randomUUID',
    'globalThis.crypto.getRandomValues(bytes)': 'crypto.getRandomValues',
    "fetch('http://localhost')": 'fetch',
    'AbortSignal.timeout(5)': 'AbortSignal.timeout',
    '(setTimeout as unknown)': 'setTimeout',
    "import { randomBytes } from 'node:crypto'": 'randomBytes',
    "import { createHash, randomInt as pick } from 'node:crypto'": 'randomInt',
    "import * as crypto from 'node:crypto'\ncrypto.randomFillSync(bytes)": 'randomFillSync',
    "import crypto from 'node:crypto'\nconst { randomUUID } = crypto, id = crypto.randomUUID()": 'randomUUID',
    "const crypto = await import('node:crypto')": 'node:crypto',
    "import { setTimeout } from 'node:timers/promises'": 'setTimeout',
    "import { setInterval as every } from 'node:timers'": 'setInterval',
    "import { performance } from 'node:perf_hooks'": 'performance',
    "import process from 'node:process'\nprocess.nextTick(run)": 'process.nextTick',
    "import { fetch } from 'undici'": 'fetch',
  })) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.deepEqual(refused(text), [name]))
  }

  for (const text of [
    'function at(clock: Clock): Date | undefined { return clock.now() }',
    'interface Row { readonly createdAt: Date }',
    'pool.fetch(1); const one = { fetch: 1, setTimeout() {} }',
    'function run(fetch: Fetch) { return fetch(1) }',
    'const { setTimeout } = ports; setTimeout(run, 5)',
    'Math.floor(1.5); process.exit(1); AbortSignal.any([])',
    '// Date.now() and setTimeout(run, 5)',
    "const text = 'new Date()'",
    "import { createHash, timingSafeEqual } from 'node:crypto'",
    "import type { setTimeout } from 'node:timers/promises'",
    "import { monitorEventLoopDelay } from 'node:perf_hooks'",
    "import { Pool } from 'undici'",
  ]) {
    it(`accepts ${JSON.stringify(text)}`, () => assert.deepEqual(refused(text), []))
  }

  it('allows what allowed.json lists, there and nowhere else', () => {
    assert.deepEqual(refused('Date.now()', 'packages/core/src/kernel/clock.ts'), [])
    assert.deepEqual(refused('setImmediate(run); setTimeout(run, 5)', 'packages/core/src/wire/a.test.ts'), [
      'setTimeout',
    ])
  })
})
