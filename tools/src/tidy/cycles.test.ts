import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkCycles } from './cycles.ts'
import { findingText } from './finding.ts'
import { repositoryOf } from './repository.ts'

function findings(files: Record<string, string>): string[] {
  return checkCycles(repositoryOf(files)).map(findingText)
}

describe('checkCycles', () => {
  it('finds a cycle once, at its first file, and shows the shortest way round', () => {
    const files = {
      'tools/a.ts': "import './b.ts'\nimport './c.ts'",
      'tools/b.ts': "import './d.ts'",
      'tools/c.ts': "import type { A } from './a.ts'",
      'tools/d.ts': '',
      'tools/outside.ts': "import './a.ts'",
    }
    assert.deepEqual(findings(files), ['tools/a.ts:1 imports itself: tools/a.ts → tools/c.ts → tools/a.ts'])
  })

  it('finds two cycles that have no file in common', () => {
    const files = {
      'tools/a.ts': "import './b.ts'",
      'tools/b.ts': "import './a.ts'",
      'tools/c.ts': "export { d } from './d.ts'",
      'tools/d.ts': "import './c.ts'\nimport './a.ts'",
    }
    assert.equal(findings(files).length, 2)
  })

  it('accepts a diamond, and a way back that is taken at run time', () => {
    const files = {
      'tools/a.ts': "import './b.ts'\nimport './c.ts'",
      'tools/b.ts': "import './d.ts'",
      'tools/c.ts': "import './d.ts'",
      'tools/d.ts': "const a = () => import('./a.ts')",
    }
    assert.deepEqual(findings(files), [])
  })
})
