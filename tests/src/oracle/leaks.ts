/**
 * 15: nothing leaks: no secret is written down, and nobody sees what is somebody else's.
 *
 * @module
 */
import { createReadStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Queries } from '@flotilla/core/queries'
import { sql } from '@flotilla/core/sql'
import { type Check, Finding, type Found } from './report.ts'
import type { World } from './world.ts'

const LEAKS = '15 Nothing leaks'

/** The checks. */
export const leakChecks: readonly Check[] = [
  {
    invariant: LEAKS,
    says: 'no answer showed anybody what is somebody else’s',
    holds: 'always',
    look: answers,
  },
  {
    invariant: LEAKS,
    says: 'no database has a password, a token or the number of a card',
    holds: 'settled',
    look: databases,
  },
  { invariant: LEAKS, says: 'no log has', holds: 'settled', look: logs },
]

/** How secrets that the workload plants begin: looked for as a whole would be looked for thousands of times. */
export const SECRET_MARK = '5ecre7'

/** What no table and no log may have: planted secrets, tokens of users (JWT), numbers of test cards. */
const FORBIDDEN = `${SECRET_MARK}|eyJ[A-Za-z0-9_-]{10,}\\.eyJ|4111111111111111|5555555555554444`

async function answers({ journal }: World): Promise<Found> {
  const finding = new Finding()
  finding.checked = journal.answers
  for (const leak of journal.leaks) finding.wrong([], leak)
  return finding
}

async function databases(world: World): Promise<Found> {
  const finding = new Finding()
  for (const service of world.services) {
    await world.read(service, async (queries) => {
      for (const { schema, name } of await tables(queries)) {
        const { rows, found } = await queries.one<{ rows: number; found: string | null }>(sql`
          select count(*) as rows, min(substring(t::text from ${FORBIDDEN})) as found
          from ${sql.identifier(schema)}.${sql.identifier(name)} as t`)
        finding.checked += rows
        if (found !== null) finding.wrong(`${service} ${name}`, `a row has ${found}`)
      }
    })
  }
  return finding
}

const tables = (queries: Queries): Promise<{ schema: string; name: string }[]> =>
  queries.many<{ schema: string; name: string }>(sql`
    select schemaname as schema, tablename as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema') order by 1, 2`)

async function logs({ logFolder }: World): Promise<Found> {
  const finding = new Finding()
  if (logFolder === undefined) return finding
  const pattern = new RegExp(FORBIDDEN)
  for (const name of readdirSync(logFolder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.log') && !name.includes('.log.')) continue
    // A secret may lie across two pieces.
    let end = ''
    for await (const piece of createReadStream(join(logFolder, name), 'utf8')) {
      const text = end + piece
      const [found] = pattern.exec(text) ?? []
      if (found !== undefined) finding.wrong(name, `it has ${found}`)
      finding.checked += piece.length
      end = text.slice(-200)
    }
  }
  return finding
}
