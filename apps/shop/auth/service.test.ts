import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { dumpSchema } from '@flotilla/core/schema-dump'
import { testCall } from '@flotilla/core/test-call'
import { FOLDER, openTestAuth } from './testing.test.ts'

describe('the auth service', () => {
  it('has the schema that schema.sql shows', async (t) => {
    const { database } = await openTestAuth(t)
    const dump = await dumpSchema(database.open().session(testCall()), ['public'])
    const path = join(FOLDER, 'auth/schema.sql')
    if (process.env['FLOTILLA_UPDATE'] === '1') await writeFile(path, dump)
    assert.equal(await readFile(path, 'utf8'), dump)
  })
})
