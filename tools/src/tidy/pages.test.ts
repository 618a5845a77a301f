import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findingText } from './finding.ts'
import { checkPages } from './pages.ts'
import { repositoryOf } from './repository.ts'

function findings(text: string): string[] {
  return checkPages(
    repositoryOf({
      'package.json': '{"scripts":{"start":"x","check:all":"x"}}',
      'packages/core/src/kernel/clock.ts': '',
      'docs/tour.md':
        '# The tour\n\n## Two `words`, & more!\n\n## Again\n\n## Again\n\n<a id="by-hand"></a>\n',
      'docs/page.md': text,
      'README.md': '',
    }),
  ).map(findingText)
}

describe('checkPages', () => {
  for (const link of [
    'tour.md',
    './tour.md',
    '../README.md',
    '/docs/tour.md',
    '../packages/core/',
    'https://x.y/z',
  ]) {
    it(`accepts a link to ${link}`, () => assert.deepEqual(findings(`See [it](${link} "title").`), []))
  }

  for (const link of ['gone.md', '../gone/', '/tour.md', '../../README.md']) {
    it(`refuses a link to ${link}`, () => {
      assert.deepEqual(findings(`\nSee [it](${link}).`), [`docs/page.md:2 the link '${link}' leads nowhere`])
    })
  }

  it('looks at reference links, images and tags too', () => {
    assert.equal(findings('[it]: gone.md\n![it](gone.png)\n<img src="gone.svg">').length, 3)
  })

  for (const anchor of ['the-tour', 'two-words--more', 'again', 'again-1', 'by-hand']) {
    it(`accepts the anchor #${anchor}`, () => assert.deepEqual(findings(`[it](tour.md#${anchor})`), []))
  }

  it('refuses an anchor that no heading has, there or on its own page', () => {
    assert.deepEqual(findings('[it](tour.md#again-2)'), [
      "docs/page.md:1 'tour.md#again-2': no such heading in docs/tour.md",
    ])
    assert.equal(findings('# Here\n[it](#here)').length, 0)
    assert.equal(findings('# Here\n[it](#there)').length, 1)
    assert.equal(findings('```sh\n# Here\n```\n[it](#here)').length, 1)
  })

  it('refuses a path in backticks that does not exist', () => {
    assert.deepEqual(findings('`packages/core/src/kernel/gone.ts:12`'), [
      'docs/page.md:1 there is no packages/core/src/kernel/gone.ts',
    ])
  })

  it('accepts paths that exist, patterns, build output, and links in code', () => {
    const paths = [
      'packages/core/src/kernel/clock.ts:12',
      'packages/core/',
      'packages/*/src',
      'packages/core/dist/a.js',
    ]
    assert.deepEqual(findings(`${paths.map((path) => `\`${path}\``).join(' ')} \`[a](gone.md)\``), [])
  })

  it('refuses a script that package.json does not have, in the text and in blocks', () => {
    const text =
      'Run `npm run gone`.\n\n```sh\nnpm start\nnpm test -- x\nnpm run check:all && npm ci\nnpm run ci\n```\n'
    assert.deepEqual(findings(text), [
      "docs/page.md:1 package.json has no script 'gone'",
      "docs/page.md:5 package.json has no script 'test'",
      "docs/page.md:7 package.json has no script 'ci'",
    ])
  })
})
