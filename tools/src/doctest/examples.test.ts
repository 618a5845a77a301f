import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { repositoryOf } from '../tidy/repository.ts'
import { examplesOf } from './examples.ts'
import { programText } from './program.ts'

const CODE = `/**
 * A file.
 *
 * @module
 */
import { b } from './b.ts'

/**
 * Adds.
 *
 * \`\`\`ts
 * notAnExample()
 * \`\`\`
 *
 * @example Two and two.
 * \`\`\`ts
 * import { add } from '@flotilla/core/add'
 *
 * assert.equal(add(2, 2), 4)
 * \`\`\`
 *
 * @example
 * \`\`\`json
 * {}
 * \`\`\`
 * \`\`\`ts
 * second()
 * \`\`\`
 * @returns the sum
 * \`\`\`ts
 * notAnExample()
 * \`\`\`
 */
export const add = 1
`
const PAGE = '# Page\n\n```ts\nnotRun()\n```\n\n```ts run\nrun()\n```\n'

describe('examplesOf', () => {
  const found = examplesOf(repositoryOf({ 'packages/core/src/kernel/add.ts': CODE, 'docs/page.md': PAGE }))

  it('takes ts blocks below @example and blocks marked run in Markdown, nothing else', () => {
    assert.deepEqual(
      found.map(({ path, line, title }) => `${path}:${line} ${title}`),
      [
        'packages/core/src/kernel/add.ts:17 Two and two.',
        'packages/core/src/kernel/add.ts:27 ',
        'docs/page.md:8 ',
      ],
    )
    assert.equal(found[1]?.code, 'second()')
    assert.equal(found[2]?.code, 'run()')
  })

  it('leaves out other folders, tests and plain comments', () => {
    const files = { 'tools/a.ts': CODE, 'packages/core/src/kernel/a.test.ts': CODE }
    assert.deepEqual(examplesOf(repositoryOf(files)), [])
    const plain = CODE.replaceAll('/**', '/*')
    assert.deepEqual(examplesOf(repositoryOf({ 'packages/core/src/kernel/a.ts': plain })), [])
  })

  it('become programs with their lines where they stand in the source', () => {
    const [first] = found
    assert.ok(first)
    const lines = programText(first).split('\n')
    assert.equal(lines[0], "import assert from 'node:assert/strict'")
    assert.equal(lines[first.line - 1], "import { add } from '@flotilla/core/add'")
    assert.equal(CODE.split('\n')[first.line - 1], " * import { add } from '@flotilla/core/add'")
  })

  it('keep their own import of assert', () => {
    const text = programText({ path: 'a.md', line: 2, title: '', code: "import assert from 'node:assert'" })
    assert.equal(text.match(/import assert/g)?.length, 1)
  })
})
