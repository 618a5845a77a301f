/** The fault `lose` of crash points: the server has done it, and the process never hears of it. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { crashpoint, setCrashpoints } from '../kernel/crashpoint.ts'
import { isFlotillaError } from '../kernel/error.ts'
import { testCall } from '../testing/test-call.ts'
import { openTestDatabase } from '../testing/test-database.ts'
import { sql } from './sql.ts'

const isUnknown = (error: unknown): boolean =>
  isFlotillaError(error) && error.code === 'unavailable' && error.executed === 'maybe'

/** Has the reply to the next write lost. */
function loseNext(t: TestContext): void {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-crashpoint-'))
  for (const part of ['armed', 'hit']) mkdirSync(join(folder, part))
  t.after(() => {
    setCrashpoints(undefined)
    rmSync(folder, { recursive: true })
  })
  writeFileSync(join(folder, 'armed', 'task.after-commit@test'), 'lose')
  setCrashpoints(folder)
  crashpoint('task.after-commit', 'test')
}

describe('a reply that is lost', () => {
  it('of COMMIT leaves a transaction that has taken effect once', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int)')
    const session = test.open().session(testCall())
    await session.many(sql`select 1`)
    loseNext(t)
    const add = () => session.transaction((tx) => tx.execute(sql`insert into t values (1)`))
    await assert.rejects(add(), isUnknown)
    assert.equal((await test.ask('select from t')).length, 1)
    await add()
    assert.equal((await test.ask('select from t')).length, 2)
  })

  it('of a write by itself leaves the write', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int)')
    const session = test.open().session(testCall())
    loseNext(t)
    // Not a write: it keeps its reply.
    await session.many(sql`select from t`)
    await assert.rejects(session.execute(sql`insert into t values (1)`), isUnknown)
    assert.equal((await test.ask('select from t')).length, 1)
  })
})
