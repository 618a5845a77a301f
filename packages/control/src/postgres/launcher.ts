/**
 * As whom PostgreSQL runs. It refuses to run as root, and inside containers everybody is root.
 *
 * - Not root: as ourselves. (Some containers run as a user without a name; then like root.)
 * - Root: in a user namespace of its own, where our files belong to `nobody`. Nothing is created or changed, and it
 *   works below /root. (Any user but 0 would do, but `initdb` insists on one that has a name.)
 * - Root where namespaces are forbidden: as the user `nobody`, to whom the data folder is given. That needs
 *   programs and data in places that `nobody` can reach.
 *
 * @module
 */
import { lchown, readdir, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { FlotillaError } from '@flotilla/core/error'
import type { Binaries } from './binaries.ts'
import { type Launch, run } from './run.ts'

/** The three ways. */
export type Identity = 'ourselves' | 'namespace' | 'nobody'

/** One of the ways, tried and found to work. */
export interface Launcher {
  readonly identity: Identity
  readonly launch: (program: string, args: readonly string[]) => Launch
  /** Gives a folder, with all in it, to the identity. */
  readonly own: (folder: string) => Promise<void>
}

interface Ids {
  readonly uid: number
  readonly gid: number
}

/**
 * Finds the first of `candidates` (default: those that fit this process) by which the server starts and gets at
 * `folder`, which need not belong to it yet.
 *
 * @throws FlotillaError `failed_precondition` with what each said.
 */
export async function findLauncher(
  binaries: Binaries,
  folder: string,
  candidates = identities(),
): Promise<Launcher> {
  const failures: string[] = []
  for (const identity of candidates) {
    const launcher = await launcherFor(identity, binaries)
    const server = await run(launcher.launch(binaries.postgres, ['--version']))
    const reach = await run(launcher.launch('/bin/sh', ['-c', 'cd "$0"', dirname(folder)]))
    if (server.exitCode === 0 && reach.exitCode === 0) return launcher
    const { output } = server.exitCode === 0 ? reach : server
    failures.push(`as ${identity}: ${output.trim().split('\n')[0]}`)
  }
  throw new FlotillaError(
    'failed_precondition',
    `PostgreSQL does not start here (${failures.join('; ')}). Run as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own.`,
    { executed: 'no' },
  )
}

function identities(): readonly Identity[] {
  if (process.getuid?.() === 0) return ['namespace', 'nobody']
  return hasName() ? ['ourselves'] : ['namespace', 'ourselves']
}

function hasName(): boolean {
  try {
    return userInfo().username !== ''
  } catch {
    return false
  }
}

async function launcherFor(identity: Identity, { env: libraries }: Binaries): Promise<Launcher> {
  // Nothing else of our environment: PGDATA, PGPORT and their like would have a say.
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', ...libraries }
  if (identity === 'ourselves') {
    return { identity, launch: (command, args) => ({ command, args, env }), own: async () => {} }
  }
  const nobody = await idsOfNobody()
  if (identity === 'nobody') {
    return {
      identity,
      launch: (command, args) => ({ command, args, env, ...nobody }),
      own: (folder) => own(folder, nobody),
    }
  }
  const unshare = ['--user', `--map-user=${nobody.uid}`, `--map-group=${nobody.gid}`, '--']
  return {
    identity,
    launch: (program, args) => ({ command: 'unshare', args: [...unshare, program, ...args], env }),
    own: (folder) => own(folder, { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }),
  }
}

async function idsOfNobody(): Promise<Ids> {
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' }
  const id = async (option: string): Promise<number> => {
    const { exitCode, output } = await run({ command: 'id', args: [option, 'nobody'], env })
    // 65534 on all but the oldest systems.
    return exitCode === 0 ? Number.parseInt(output, 10) : 65_534
  }
  return { uid: await id('-u'), gid: await id('-g') }
}

async function own(folder: string, { uid, gid }: Ids): Promise<void> {
  if ((await stat(folder)).uid === uid) return
  const entries = await readdir(folder, { recursive: true })
  for (const entry of entries) await lchown(join(folder, entry), uid, gid)
  // Last, because it is what tells next time that all is done.
  await lchown(folder, uid, gid)
}
