import assert from 'node:assert/strict'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { isFlotillaError } from '../kernel/error.ts'
import { openTestDatabase } from '../testing/test-database.ts'
import { migrate, pendingMigrations } from './migrate.ts'
import { type MigrationSet, platformMigrations, readMigrations } from './migration-files.ts'

interface Folder extends MigrationSet {
  readonly folder: string
}

async function folderWith(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  name = 'shop',
): Promise<Folder> {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-migrations-'))
  t.after(() => rm(folder, { recursive: true }))
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text)
  return { name, folder }
}

const refusal = (message: RegExp) => (error: unknown) =>
  isFlotillaError(error) && error.code === 'failed_precondition' && message.test(error.message)

describe('readMigrations', () => {
  it('reads files in the order of their numbers and leaves others alone', async (t) => {
    const set = await folderWith(t, { '0002-b.sql': 'b', '0001-a.sql': 'a', 'README.md': '' })
    const names = (await readMigrations(set)).map((migration) => [
      migration.number,
      migration.name,
      migration.text,
    ])
    assert.deepEqual(names, [
      [1, '0001-a.sql', 'a'],
      [2, '0002-b.sql', 'b'],
    ])
  })

  it('takes line ends as one', async (t) => {
    const [unix] = await readMigrations(await folderWith(t, { '0001-a.sql': 'a\nb' }))
    const [windows] = await readMigrations(await folderWith(t, { '0001-a.sql': 'a\r\nb' }))
    assert.equal(unix?.checksum, windows?.checksum)
  })

  it('names what is wrong', async (t) => {
    const reading = async (...names: string[]) =>
      readMigrations(await folderWith(t, Object.fromEntries(names.map((name) => [name, '']))))
    await assert.rejects(
      reading('0001-a.sql', '0003-c.sql'),
      refusal(/Before 0003-c.sql there is no migration 0002/),
    )
    await assert.rejects(reading('0002-a.sql'), refusal(/Before 0002-a.sql/))
    await assert.rejects(reading('0000-a.sql'), refusal(/Before 0000-a.sql/))
    await assert.rejects(
      reading('0001-a.sql', '0001-b.sql'),
      refusal(/0001-a.sql and 0001-b.sql have the same number/),
    )
    await assert.rejects(reading('1-a.sql'), refusal(/1-a.sql is not named like/))
    await assert.rejects(
      readMigrations({ name: 'shop', folder: '/nowhere' }),
      refusal(/of shop cannot be read/),
    )
  })
})

describe('migrate', () => {
  it('applies in order what is pending, once', async (t) => {
    const { url, ask } = await openTestDatabase(t)
    const set = await folderWith(t, {
      '0001-product.sql': 'create table product (id int); create table other (id int);',
      '0002-price.sql': 'alter table product add price int; insert into product values (1, 5);',
    })
    const lines: string[] = []
    const all = ['shop/0001-product.sql', 'shop/0002-price.sql']
    assert.deepEqual(await pendingMigrations(url, [set]), all)
    assert.deepEqual(await ask(`select to_regclass('flotilla.migration') as found`), [{ found: null }])
    assert.deepEqual(await migrate(url, [set], { info: (message) => lines.push(message) }), all)
    assert.equal(lines.length, 2)
    assert.deepEqual(await migrate(url, [set]), [])
    assert.deepEqual(await pendingMigrations(url, [set]), [])
    assert.deepEqual(await ask('select * from product'), [{ id: 1, price: 5 }])
    await writeFile(join(set.folder, '0003-more.sql'), 'insert into product values (2, 6)')
    assert.deepEqual(await pendingMigrations(url, [set]), ['shop/0003-more.sql'])
    assert.deepEqual(await migrate(url, [set]), ['shop/0003-more.sql'])
  })

  it('numbers each set by itself', async (t) => {
    const { url, ask } = await openTestDatabase(t)
    const shop = await folderWith(t, { '0001-a.sql': 'create table a ()' })
    const platform = await readMigrations(platformMigrations)
    assert.deepEqual(await migrate(url, [platformMigrations, shop]), [
      ...platform.map(({ name }) => `platform/${name}`),
      'shop/0001-a.sql',
    ])
    const rows = await ask(
      `select "set", number, length(checksum) as checksum from flotilla.migration order by 1, 2`,
    )
    assert.deepEqual(rows, [
      ...platform.map(({ number }) => ({ set: 'platform', number, checksum: 64 })),
      { set: 'shop', number: 1, checksum: 64 },
    ])
  })

  it('leaves nothing of a migration that fails, and says where it failed', async (t) => {
    const { url, ask } = await openTestDatabase(t)
    const set = await folderWith(t, {
      '0001-a.sql': 'create table a ()',
      '0002-b.sql': 'create table b ();\n\ninsert into nowhere values (1);\n',
    })
    await assert.rejects(
      migrate(url, [set]),
      (error) =>
        isFlotillaError(error) && error.message === '0002-b.sql:3: relation "nowhere" does not exist',
    )
    const found = await ask(`select to_regclass('a') is not null as a, to_regclass('b') is not null as b`)
    assert.deepEqual(found, [{ a: true, b: false }])
    await writeFile(join(set.folder, '0002-b.sql'), 'create table b ()')
    assert.deepEqual(await migrate(url, [set]), ['shop/0002-b.sql'])
  })

  it('refuses a history that is not the one of the database', async (t) => {
    const { url } = await openTestDatabase(t)
    const set = await folderWith(t, { '0001-a.sql': 'create table a ()', '0002-b.sql': 'create table b ()' })
    await migrate(url, [set])
    for (const run of [migrate, pendingMigrations]) {
      await writeFile(join(set.folder, '0001-a.sql'), 'create table a (id int)')
      await assert.rejects(run(url, [set]), refusal(/0001-a.sql was changed after it was applied/))
      await writeFile(join(set.folder, '0001-a.sql'), 'create table a ()')
      await rename(join(set.folder, '0002-b.sql'), join(set.folder, '0002-c.sql'))
      await assert.rejects(
        run(url, [set]),
        refusal(/0002-b.sql was applied.*not exist any more \(.*0002-c.sql now/),
      )
      await rename(join(set.folder, '0002-c.sql'), join(set.folder, '0002-b'))
      await assert.rejects(
        run(url, [set]),
        refusal(/0002-b.sql was applied to this database, but does not exist/),
      )
      await rename(join(set.folder, '0002-b'), join(set.folder, '0002-b.sql'))
    }
  })

  it('touches nothing when any of the sets is misnamed', async (t) => {
    const { url, ask } = await openTestDatabase(t)
    const good = await folderWith(t, { '0001-a.sql': 'create table a ()' })
    const bad = await folderWith(t, { '0002-a.sql': '' }, 'other')
    await assert.rejects(migrate(url, [good, bad]), refusal(/0002-a.sql/))
    assert.deepEqual(await ask(`select to_regclass('a') as a`), [{ a: null }])
  })

  it('refuses a file that ends its transaction by itself', async (t) => {
    const { url } = await openTestDatabase(t)
    const set = await folderWith(t, { '0001-a.sql': 'create table a (); commit;' })
    await assert.rejects(migrate(url, [set]), refusal(/0001-a.sql ends its transaction/))
  })

  it('applies each file once when several migrate at the same time', async (t) => {
    const { url, ask } = await openTestDatabase(t)
    const files = Array.from({ length: 5 }, (_, index) => [
      `000${index + 1}-step.sql`,
      `create table t${index} (); select pg_sleep(0.02)`,
    ])
    const set = await folderWith(t, Object.fromEntries(files))
    const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(url, [set])))
    assert.equal(applied.flat().length, 5)
    assert.deepEqual(await ask('select count(*)::int as count from flotilla.migration'), [{ count: 5 }])
  })

  it('keeps the settings of one file from the next', async (t) => {
    const { url, ask } = await openTestDatabase(t)
    const set = await folderWith(t, {
      '0001-a.sql': 'create schema s; set search_path to s; create table a ()',
      '0002-b.sql': 'create table b ()',
    })
    await migrate(url, [set])
    assert.deepEqual(await ask(`select to_regclass('public.b') is not null as found`), [{ found: true }])
  })

  it('says unavailable when the server is not there', async () => {
    await assert.rejects(
      migrate('postgres://127.0.0.1:1/none', []),
      (error) => isFlotillaError(error) && error.code === 'unavailable',
    )
  })
})
