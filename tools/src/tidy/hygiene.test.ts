import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findingText } from './finding.ts'
import { checkHygiene } from './hygiene.ts'
import { repositoryOf } from './repository.ts'

/** Joined here, for this file is checked too. */
const homes = [['root'], ['work'], ['home', 'ann'], ['Users', 'ann']].map((steps) => `/${steps.join('/')}/`)

function findings(path: string, text: string, binaries: readonly object[] = []): string[] {
  const allowed = JSON.stringify({ binaries })
  return checkHygiene(repositoryOf({ [path]: text, 'tools/src/tidy/allowed.json': allowed })).map(findingText)
}

describe('checkHygiene', () => {
  for (const home of homes) {
    it(`refuses paths below ${home}`, () => {
      const found = [`README.md:2 '${home}' is a path of one machine`]
      assert.deepEqual(findings('README.md', `\nSee ${home}flotilla.`), found)
      assert.deepEqual(findings('README.md', `\n"${home}x" \`a\``), found)
      assert.deepEqual(findings('README.md', `packages${home}a https://x.y${home}a`), [])
    })
  }

  it('refuses addresses of a registry in the lockfile and in .npmrc', () => {
    assert.equal(findings('package-lock.json', '"resolved": "https://x.y/pg.tar"').length, 1)
    assert.equal(findings('package-lock.json', '"pg": "https://x.y/pg-1.0.0.tgz"').length, 1)
    assert.equal(findings('.npmrc', 'registry=https://x.y/').length, 1)
    assert.equal(findings('.npmrc', '@scope:registry=https://x.y/').length, 1)
    assert.deepEqual(
      findings('package-lock.json', '"resolved": "packages/core"\n"url": "https://x.y/fund"'),
      [],
    )
    assert.deepEqual(findings('README.md', 'https://x.y/pg-1.0.0.tgz'), [])
    assert.deepEqual(findings('.npmrc', 'omit-lockfile-registry-resolved=true'), [])
  })

  it('refuses binary files that are not listed, and lists that are not needed', () => {
    assert.deepEqual(findings('docs/a.png', 'PNG\0'), ['docs/a.png:1 is a binary file'])
    const binaries = [{ path: 'docs/a.png', reason: 'a screenshot' }]
    assert.deepEqual(findings('docs/a.png', 'PNG\0', binaries), [])
    assert.equal(findings('docs/a.txt', 'text', binaries).length, 1)
  })
})
