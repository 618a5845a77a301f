/**
 * A system of real processes on a data folder of its own, which can be started again on the same data.
 *
 * @module
 */
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bed, makeBed, type Running, startUp } from '../flotilla-process.ts'
import { databaseUrls } from '../oracle/databases-of.ts'
import { type ShopClient, shopClient } from '../shop-client.ts'

/** What to start. */
export interface FleetOptions {
  /** fleet, monolith, or the path of a file. */
  readonly placement: string
  readonly provider: 'realistic' | 'instant'
  /** More environment variables. */
  readonly environment?: Readonly<Record<string, string>>
  /** The checkout that is run. Default: this one. */
  readonly root?: string
  /** Data folder of a system that was shut down, to begin with a copy of. Default: none. */
  readonly template?: string
}

/** One of its processes. */
export interface FleetProcess {
  readonly pid: number
  /** Services it runs, or what else it is. */
  readonly name: string
}

/** The system. */
export interface Fleet extends ShopClient {
  readonly bed: Bed
  readonly admin: { readonly email: string; readonly password: string }
  /** By service. */
  readonly urls: Readonly<Record<string, string>>
  /** Those that run services now, the control process included. */
  processes(): readonly FleetProcess[]
  /** Server processes of PostgreSQL that serve somebody. */
  backends(): readonly FleetProcess[]
  postmaster(): FleetProcess | undefined
  supervisor(): FleetProcess | undefined
  /** Starts it again, on the same data, after its supervisor was killed. */
  startAgain(): Promise<void>
}

/** So many requests come from one address and one user. Parcels move while people still think about cancelling. */
const ENVIRONMENT = {
  GATEWAY_ADDRESS_PER_MINUTE: '1000000',
  GATEWAY_ANONYMOUS_PER_MINUTE: '1000000',
  GATEWAY_FREE_PER_MINUTE: '1000000',
  GATEWAY_STRICT_PER_MINUTE: '1000000',
  SHIPPING_PACK_MS: '2000',
  SHIPPING_SHIP_MS: '2000',
  SHIPPING_DELIVER_MS: '2000',
}

/** Starts it; it ends, and its folder is removed, after `t`. */
export async function startFleet(
  t: { after(cleanUp: () => Promise<void>): void },
  { placement, provider, environment = {}, root, template }: FleetOptions,
): Promise<Fleet> {
  const bed = await makeBed(t, root)
  if (template !== undefined) cpSync(template, bed.folder, { recursive: true })
  const variables = { ...ENVIRONMENT, PROVIDER_PROFILE: provider, ...environment }
  const start = () => startUp(bed, ['--placement', placement], variables)
  let running: Running = await start()
  const secrets = JSON.parse(readFileSync(join(bed.folder, 'secrets.json'), 'utf8')) as Record<string, string>
  const urls = await databaseUrls(bed.folder, bed.environment['FLOTILLA_POSTGRES_PORT'] ?? '')
  return {
    ...shopClient(`http://127.0.0.1:${bed.gatewayPort}`),
    bed,
    admin: { email: 'admin@shop.test', password: secrets['login adminPassword'] as string },
    urls,
    processes: () => hostsOf(bed),
    backends: () => backendsOf(postmasterOf(bed)),
    postmaster() {
      const pid = postmasterOf(bed)
      return pid === undefined ? undefined : { pid, name: 'postmaster' }
    },
    supervisor() {
      const { pid, exitCode, signalCode } = running.child
      return pid === undefined || exitCode !== null || signalCode !== null
        ? undefined
        : { pid, name: 'supervisor' }
    },
    async startAgain() {
      running = await start()
    },
  }
}

/** Processes whose environment says that they run services. */
function hostsOf(bed: Bed): readonly FleetProcess[] {
  const path = join(bed.folder, 'processes.json')
  const recorded = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { pid: number }[]) : []
  return recorded.flatMap(({ pid }) => {
    const services = /(?:^|\0)FLOTILLA_SERVICES=([^\0]*)/.exec(read(`/proc/${pid}/environ`))?.[1]
    if (services === undefined) return []
    if (services === 'control,observe') return [{ pid, name: 'control' }]
    return [{ pid, name: services.includes(',') ? 'monolith' : services }]
  })
}

function postmasterOf(bed: Bed): number | undefined {
  const pid = Number(read(join(bed.folder, 'postgres/data/postmaster.pid')).split('\n')[0])
  return pid > 0 && existsSync(`/proc/${pid}`) ? pid : undefined
}

function backendsOf(postmaster: number | undefined): readonly FleetProcess[] {
  const children = read(`/proc/${postmaster}/task/${postmaster}/children`).split(' ').filter(Boolean)
  return children.flatMap((child) => {
    // Its title: what it is, or whom it serves: role, database, address.
    const [, database] = /^postgres: shop_\w+ (shop_\w+) /.exec(read(`/proc/${child}/cmdline`)) ?? []
    return database === undefined ? [] : [{ pid: Number(child), name: `backend of ${database}` }]
  })
}

/** Empty when it is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
