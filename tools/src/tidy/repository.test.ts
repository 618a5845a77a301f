import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { readRepository, repositoryOf } from './repository.ts'

describe('readRepository', () => {
  it('reads every file but what .gitignore excludes', (t) => {
    const root = mkdtempSync(join(tmpdir(), 'flotilla-tidy-'))
    t.after(() => rmSync(root, { recursive: true }))
    const files = {
      '.gitignore': '# Built\ndist/\n*.log\n',
      'a/b.ts': '',
      'a/dist/b.js': '',
      'c.log': '',
      '.git/x': '',
    }
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    assert.deepEqual(readRepository(root).paths, ['.gitignore', 'a/b.ts'])
    writeFileSync(join(root, '.gitignore'), '/a/*/b\n')
    assert.throws(() => readRepository(root), /'\/a\/\*\/b' is a pattern/)
  })
})

describe('repositoryOf', () => {
  it('knows files and folders', () => {
    const repository = repositoryOf({ 'a/b/c.ts': 'text' })
    for (const path of ['a', 'a/', 'a/b', 'a/b/c.ts']) assert.ok(repository.has(path), path)
    for (const path of ['b', 'a/b/c', 'a/b/c.ts/d']) assert.ok(!repository.has(path), path)
    assert.equal(repository.text('a/b/c.ts'), 'text')
    assert.equal(repository.text('a/b'), undefined)
  })

  it('names the file it cannot parse', () => {
    assert.throws(() => repositoryOf({ 'a.json': '{' }).json('a.json'), /^SyntaxError: a\.json: /)
    assert.throws(() => repositoryOf({ 'a.ts': '{' }).sources(), /^SyntaxError: a\.ts: /)
  })
})
