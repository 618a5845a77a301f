/**
 * A database and a role for each service, so that a role can get into its own database and into no other.
 *
 * @module
 */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { parseDatabaseUrl } from '@flotilla/core/database-url'
import { FlotillaError } from '@flotilla/core/error'
import type { Random } from '@flotilla/core/random'
import pg from 'pg'

/** What a service gets. */
export interface Provision {
  /** Name of the database. */
  readonly database: string
  /** Name of its owner, with which the service logs in. */
  readonly role: string
  /** ASCII. */
  readonly password: string
  /** Such as `pg_trgm`; created by the admin, since a service may not. Default none. */
  readonly extensions?: readonly string[]
  /** For the salt of the stored password. */
  readonly random: Random
}

const NAME = /^[a-z][a-z0-9_-]{0,62}$/
/** Provisioners of one server wait for one another; the numbers spell "flot" and "prov". */
const LOCK_KEY = [0x666c6f74, 0x70726f76] as const
const LOCK_WAIT = '30s'

/**
 * Makes role and database if missing, and sets the password and the rights anew in any case.
 *
 * `adminUrl` names a role that may create both: the embedded server's superuser, or that of a managed one.
 *
 * @returns the URL for the service.
 * @throws FlotillaError `invalid_argument` for a name that is none; `unavailable` when the server does not answer;
 *   `internal` with its words when it refuses.
 */
export async function provisionDatabase(adminUrl: string, provision: Provision): Promise<string> {
  const { database, role, password, extensions = [] } = provision
  for (const name of [database, role, ...extensions]) {
    if (!NAME.test(name)) throw new FlotillaError('invalid_argument', `${name} is not a name for a database.`)
  }
  const url = parseDatabaseUrl(adminUrl)
  await asAdmin(adminUrl, async (client) => {
    await client.query(`set lock_timeout = '${LOCK_WAIT}'`)
    await client.query('select pg_advisory_lock($1, $2)', [...LOCK_KEY])
    await provisionRole(client, provision)
    await provisionOwnDatabase(client, database, role)
    await closeCommonDatabases(client)
  })
  url.pathname = `/${database}`
  if (extensions.length > 0) {
    await asAdmin(url.href, async (client) => {
      for (const name of extensions) await client.query(`create extension if not exists ${quoted(name)}`)
    })
  }
  url.username = role
  url.password = encodeURIComponent(password)
  return url.href
}

/** The oldest major version that understands what services ask, such as `returning old`; that of the embedded server. */
const MAJOR_VERSION_MIN = 18

/** @throws FlotillaError `failed_precondition` when the server is too old; `unavailable` when it does not answer. */
export async function requireVersion(adminUrl: string, majorMin = MAJOR_VERSION_MIN): Promise<void> {
  parseDatabaseUrl(adminUrl)
  let version = ''
  await asAdmin(adminUrl, async (client) => {
    const { rows } = await client.query('show server_version')
    version = rows[0].server_version
  })
  if (Number.parseInt(version, 10) >= majorMin) return
  throw new FlotillaError(
    'failed_precondition',
    `The server that DATABASE_URL names is PostgreSQL ${version}; at least ${majorMin} is needed. Without DATABASE_URL the embedded one is used.`,
    { executed: 'no' },
  )
}

async function provisionRole(client: pg.Client, { role, password, random }: Provision): Promise<void> {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role])
  if (rowCount === 0) await client.query(`create role ${quoted(role)}`)
  const verifier = pg.escapeLiteral(scramVerifier(password, random.bytes(16)))
  // Also rights it may have been given by hand.
  await client.query(`alter role ${quoted(role)} login nocreatedb nocreaterole inherit password ${verifier}`)
  const { rows } = await client.query('select rolsuper from pg_roles where rolname = current_user')
  if (rows[0]?.rolsuper) {
    await client.query(`alter role ${quoted(role)} nosuperuser noreplication nobypassrls`)
    // Statements that fail quote their values in the server's log; the service has its own log, without them.
    await client.query(`alter role ${quoted(role)} set log_min_messages = fatal`)
  } else {
    // To make a database *for* a role, an admin that is no superuser must be able to act as that role.
    await client.query(`grant ${quoted(role)} to current_user with set true`)
  }
}

async function provisionOwnDatabase(client: pg.Client, database: string, role: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [database])
  // From template0, which nobody can be connected to: a copy waits for nobody.
  if (rowCount === 0) {
    await client.query(`create database ${quoted(database)} owner ${quoted(role)} template template0`)
  } else await client.query(`alter database ${quoted(database)} owner to ${quoted(role)}`)
  await client.query(`revoke all on database ${quoted(database)} from public`)
}

/** Everybody may enter these, unless told otherwise. On a managed server they may belong to its operator, who decides. */
async function closeCommonDatabases(client: pg.Client): Promise<void> {
  const { rows } = await client.query(
    `select datname from pg_database where datname in ('postgres', 'template1') and pg_has_role(datdba, 'USAGE')`,
  )
  for (const { datname } of rows) await client.query(`revoke all on database ${quoted(datname)} from public`)
}

async function asAdmin(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'flotilla-provision',
    connectionTimeoutMillis: 5_000,
  })
  // Reported by the query that fails.
  client.on('error', () => {})
  try {
    await client.connect()
    await work(client)
  } catch (cause) {
    // For people: unlike elsewhere, the server's words are part of the message.
    const code = cause instanceof pg.DatabaseError ? 'internal' : 'unavailable'
    throw new FlotillaError(code, `The database server cannot be used: ${explain(cause as Error)}`, {
      cause,
    })
  } finally {
    await client.end()
  }
}

/** Connecting to a name with several addresses fails with several errors, and an empty message. */
function explain(error: Error): string {
  return error instanceof AggregateError
    ? error.errors.map(({ message }) => message).join('; ')
    : error.message
}

/**
 * What the server stores instead of the password. Made here, so that the password itself is in no statement, and so in
 * no log.
 *
 * @source RFC 5803; the form is that of `pg_authid.rolpassword`
 */
export function scramVerifier(password: string, salt: Uint8Array, iterations = 4_096): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  const storedKey = createHash('sha256').update(clientKey).digest('base64')
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64')
  return `SCRAM-SHA-256$${iterations}:${Buffer.from(salt).toString('base64')}$${storedKey}:${serverKey}`
}

function quoted(name: string): string {
  return pg.escapeIdentifier(name)
}
