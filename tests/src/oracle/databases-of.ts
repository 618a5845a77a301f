/**
 * Where the databases of a system of real processes are.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { app } from '@flotilla/shop/app'

/** URLs by service, as the supervisor made them on the embedded server; the system need not run, its PostgreSQL must. */
export async function databaseUrls(
  folder: string,
  postgresPort: number | string,
): Promise<Readonly<Record<string, string>>> {
  const secrets = JSON.parse(readFileSync(join(folder, 'secrets.json'), 'utf8')) as Record<string, string>
  const urls: Record<string, string> = {}
  for (const [name, load] of Object.entries(app.services)) {
    if ((await load()).database === undefined) continue
    const own = `${app.name}_${name}`.replaceAll('-', '_')
    const password = encodeURIComponent(secrets[`database ${name}`] ?? '')
    urls[name] = `postgres://${own}:${password}@127.0.0.1:${postgresPort}/${own}`
  }
  return urls
}
