/**
 * `flotilla doctor`: would it start here, and if not, why?
 *
 * @module
 */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { freemem, tmpdir, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import type { App } from '@flotilla/core/app'
import { findBinaries } from '../../postgres/binaries.ts'
import { requireVersion } from '../../postgres/provision.ts'
import { loadApp } from '../../system/app-module.ts'
import { findRunning } from '../../system/control-file.ts'
import type { DataFolder } from '../../system/data-folder.ts'
import { externalUrlIn } from '../../system/databases.ts'
import { portUses, probePort, readPorts } from '../../system/ports.ts'
import type { Command, CommandContext } from '../command.ts'
import { dataFolderOf } from '../running-system.ts'
import { table } from '../terminal.ts'

/** One thing that was looked at. */
interface Finding {
  readonly what: string
  readonly verdict: 'ok' | 'warning' | 'wrong'
  readonly details: string
}

const NODE_MIN = [20, 19] as const
const DISK_BYTES_MIN = 500e6
const MEMORY_BYTES_MIN = 1e9

/** The command. */
export const doctor: Command = {
  name: 'doctor',
  usage: '',
  summary: 'check whether everything needed is there',
  details: 'Exits with 1 when something is wrong.',
  async run(context) {
    const { terminal } = context
    const findings = [checkNode(), checkMemory(), ...(await checkCheckout(context))]
    terminal.result(findings, () =>
      table(
        findings.map(({ what, verdict, details }) => [
          verdict === 'ok'
            ? terminal.style('green', 'ok     ')
            : terminal.style(verdict === 'wrong' ? 'red' : 'yellow', verdict.padEnd(7)),
          what,
          details,
        ]),
      ),
    )
    return findings.some(({ verdict }) => verdict === 'wrong') ? 1 : 0
  },
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isNew = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])
  return {
    what: 'Node.js',
    verdict: isNew ? 'ok' : 'wrong',
    details: `${process.version}; at least ${NODE_MIN.join('.')} is needed`,
  }
}

function checkMemory(): Finding {
  const verdict = freemem() < MEMORY_BYTES_MIN ? 'warning' : 'ok'
  return { what: 'memory', verdict, details: `${gigabytes(freemem())} of ${gigabytes(totalmem())} free` }
}

async function checkCheckout(context: CommandContext): Promise<readonly Finding[]> {
  const module = await attempt('app', async () => {
    const value = await loadApp(context.workingFolder)
    return { details: value.folder, value }
  })
  if (module.value === undefined) return [module.finding]
  const { app, root } = module.value
  const folder = await attempt('data folder', async () => {
    const value = dataFolderOf(context, root)
    // With the slash a file is refused.
    accessSync(`${nearestFolder(value.path)}/`, constants.W_OK)
    return { details: existsSync(value.path) ? value.path : `${value.path}, which will be made`, value }
  })
  const postgres = await attempt('PostgreSQL', async () => {
    const externalUrl = externalUrlIn(context.environment)
    if (externalUrl === undefined) {
      return {
        details: (await findBinaries(join(folder.value?.postgres ?? tmpdir(), 'lib'))).postgres,
        value: true,
      }
    }
    await requireVersion(externalUrl)
    return { details: `DATABASE_URL, at ${new URL(externalUrl).host}`, value: true }
  })
  const found = [module.finding, folder.finding, postgres.finding]
  if (folder.value === undefined) return found
  return [...found, checkDisk(folder.value), ...(await checkPorts(context, app, folder.value))]
}

function checkDisk({ path }: DataFolder): Finding {
  const { bavail, bsize } = statfsSync(nearestFolder(path))
  const freeBytes = bavail * bsize
  return {
    what: 'disk',
    verdict: freeBytes < DISK_BYTES_MIN ? 'warning' : 'ok',
    details: `${gigabytes(freeBytes)} free`,
  }
}

/** The folder itself, or the nearest above it that is there. */
function nearestFolder(path: string): string {
  return existsSync(path) ? path : nearestFolder(dirname(path))
}

async function checkPorts(
  context: CommandContext,
  app: App,
  folder: DataFolder,
): Promise<readonly Finding[]> {
  const running = findRunning(folder)
  if (running !== undefined)
    return [
      { what: 'ports', verdict: 'ok', details: `in use by the system that runs here, pid ${running.pid}` },
    ]
  const checks = portUses(readPorts(app, context.environment)).map((use) =>
    attempt(`port of the ${use.user}`, async () => {
      await probePort(use)
      return { details: `${use.port} is free`, value: true }
    }),
  )
  return (await Promise.all(checks)).map(({ finding }) => finding)
}

async function attempt<T>(
  what: string,
  look: () => Promise<{ readonly details: string; readonly value: T }>,
): Promise<{ readonly finding: Finding; readonly value: T | undefined }> {
  try {
    const { details, value } = await look()
    return { finding: { what, verdict: 'ok', details }, value }
  } catch (error) {
    return { finding: { what, verdict: 'wrong', details: (error as Error).message }, value: undefined }
  }
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`
}
