import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { lazyCheck, Type } from '../contract/schema.ts'
import { systemClock } from '../kernel/clock.ts'
import { until } from '../testing/until.ts'
import { PolicyFile } from './policy-file.ts'

const check = lazyCheck(Type.Object({ size: Type.Integer({ minimum: 1 }) }, { additionalProperties: false }))

/** A file that is followed, and what was made of it. */
async function follow(t: TestContext, name: string, text: string | undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-policies-'))
  const path = join(folder, name)
  const write = (its: string): void => {
    // As editors and mounts do: readers see the old or the new, nothing in between.
    writeFileSync(`${path}.new`, its)
    renameSync(`${path}.new`, path)
  }
  if (text !== undefined) write(text)
  const applied: unknown[] = []
  const reads: (readonly string[])[] = []
  const file = new PolicyFile({
    path,
    clock: systemClock,
    sections: {
      shelf: {
        check,
        mistakesIn: (value) => ((value as { size: number }).size === 13 ? ['/size: is unlucky'] : []),
        apply: (value) => applied.push(value),
      },
    },
    onRead: (mistakes) => reads.push(mistakes),
  })
  t.after(async () => {
    await file.close()
    rmSync(folder, { recursive: true })
  })
  await file.open()
  const read = async (): Promise<readonly string[] | undefined> => {
    const before = reads.length
    await until('it is read', () => reads.length > before)
    return reads.at(-1)
  }
  return { applied, reads, write, read, remove: () => rmSync(path) }
}

describe('PolicyFile', () => {
  it('applies what it says, and every change of it', async (t) => {
    const { applied, reads, write, read } = await follow(t, 'p.yaml', 'shelf:\n  size: 3 # enough\n')
    assert.deepEqual([applied, reads], [[{ size: 3 }], [[]]])
    write('shelf: { size: 4 }')
    await read()
    write('')
    await read()
    assert.deepEqual(applied, [{ size: 3 }, { size: 4 }, undefined])
  })

  it('names every mistake, changes nothing, and goes on when it is mended', async (t) => {
    const { applied, write, read } = await follow(t, 'p.json', '{"shelf":{"size":3}}')
    write('{"shelf":{"size":0,"colour":1},"wall":{}}')
    const mistakes = await read()
    assert.deepEqual(mistakes?.map((mistake) => mistake.split(':')[0]).toSorted(), [
      '/shelf/colour',
      '/shelf/size',
      '/wall',
    ])
    write('{"shelf":{"size":13}}')
    assert.deepEqual(await read(), ['/shelf/size: is unlucky'])
    for (const text of ['{"shelf":', '[1]', '"shelf"']) {
      write(text)
      assert.equal((await read())?.length, 1)
    }
    assert.deepEqual(applied, [{ size: 3 }])
    write('{"shelf":{"size":5}}')
    assert.deepEqual(await read(), [])
    assert.deepEqual(applied, [{ size: 3 }, { size: 5 }])
  })

  it('tells of a file that is not there, keeps what held when it goes, and finds it when it comes', async (t) => {
    const { applied, reads, write, read, remove } = await follow(t, 'p.yaml', undefined)
    assert.match(String(reads[0]), /ENOENT/)
    write('shelf: { size: 1 }')
    await read()
    remove()
    assert.match(String(await read()), /ENOENT/)
    assert.deepEqual(applied, [{ size: 1 }])
  })

  it('refuses YAML that is a bomb, or says a key twice', async (t) => {
    const bomb = Array.from({ length: 12 }, (_, level) => {
      const refers = level === 0 ? 'x' : Array.from({ length: 9 }, () => `*a${level - 1}`).join(', ')
      return `a${level}: &a${level} [${refers}]`
    }).join('\n')
    const { applied, reads, write, read } = await follow(t, 'p.yaml', bomb)
    assert.match(String(reads[0]), /alias/i)
    write('shelf: { size: 1 }\nshelf: { size: 2 }\n')
    assert.match(String(await read()), /unique/)
    assert.deepEqual(applied, [])
  })
})
