import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findingText } from './finding.ts'
import { readRepository, repositoryOf } from './repository.ts'
import { tidy } from './tidy.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

describe('tidy', () => {
  it('finds nothing in this repository', () => {
    const found = tidy(readRepository(root))
    if (found.length > 0) assert.fail(['', ...found.map(findingText)].join('\n'))
  })

  it('knows a reason for every exception', () => {
    const table = readRepository(root).json('tools/src/tidy/allowed.json') as Record<
      string,
      { reason: string }[]
    >
    for (const one of Object.values(table).flat()) assert.match(one.reason, /\w/)
  })

  it('puts what it finds in order of file and line', () => {
    const found = tidy(repositoryOf({ 'tools/b.ts': '', 'tools/a.ts': '\n\nDate.now()\nnew Date()' }))
    const places = found.map(({ path, line }) => `${path}:${line}`)
    assert.deepEqual([...new Set(places)], ['tools/a.ts:1', 'tools/a.ts:3', 'tools/a.ts:4', 'tools/b.ts:1'])
  })
})
