import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { migrate } from '@flotilla/core/migrate'
import { dumpSchema } from '@flotilla/core/schema-dump'
import { testCall } from '@flotilla/core/test-call'
import { openTestDatabase } from '@flotilla/core/test-database'

const folder = join(import.meta.dirname, '..', '..')

describe('the tables of orders', () => {
  it('are what schema.sql says', async (t) => {
    const { url, open } = await openTestDatabase(t)
    await migrate(url, [{ name: 'orders', folder: `${folder}/orders/migrations` }])
    const text = await dumpSchema(open().session(testCall()), ['public'])
    const file = `${folder}/orders/schema.sql`
    if (process.env['FLOTILLA_UPDATE'] === '1') await writeFile(file, text)
    assert.equal(await readFile(file, 'utf8'), text)
  })
})
