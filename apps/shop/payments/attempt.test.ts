import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { migrate } from '@flotilla/core/migrate'
import { dumpSchema } from '@flotilla/core/schema-dump'
import { testCall } from '@flotilla/core/test-call'
import { openTestDatabase } from '@flotilla/core/test-database'
import { transitions } from './attempt.ts'

const folder = join(import.meta.dirname, '..', '..', 'payments')

describe('transitions', () => {
  it('are the same in the code and in the database, whose schema is what schema.sql says', async (t) => {
    const { url, ask, open } = await openTestDatabase(t)
    await migrate(url, [{ name: 'payments', folder: `${folder}/migrations` }])
    const rows = await ask<{ from: string; to: string }>(
      'select from_state as from, to_state as to from legal_transition',
    )
    const inCode = Object.entries(transitions).flatMap(([from, tos]) => tos.map((to) => `${from} ${to}`))
    assert.deepEqual(rows.map(({ from, to }) => `${from} ${to}`).toSorted(), inCode.toSorted())
    const text = await dumpSchema(open().session(testCall()), ['public'])
    const file = `${folder}/schema.sql`
    if (process.env['FLOTILLA_UPDATE'] === '1') await writeFile(file, text)
    assert.equal(await readFile(file, 'utf8'), text)
  })
})
