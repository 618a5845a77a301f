/**
 * `flotilla policies`: would this policy file hold?
 *
 * @module
 */
import { resolve } from 'node:path'
import { checkPolicies, type Policies } from '@flotilla/core/policy-check'
import { loadAllServices, loadApp } from '../../system/app-module.ts'
import { findRunning } from '../../system/control-file.ts'
import { UsageError } from '../arguments.ts'
import type { Command, CommandContext } from '../command.ts'
import { oneLine, policyFileOf } from '../policy-report.ts'
import { dataFolderOf } from '../running-system.ts'
import { table } from '../terminal.ts'

/** The command. */
export const policies: Command = {
  name: 'policies',
  usage: '[FILE]',
  summary: 'check a policy file: what it says, and everything it names',
  details: `Checks FILE, or the file of FLOTILLA_POLICIES, or that of the running system, as all its processes together would. Tells
every mistake with its path in the file and exits with 1, or tells what the file is about. Nothing is changed.`,
  argumentsMax: 1,
  async run(context) {
    const { terminal } = context
    const { app, root } = await loadApp(context.workingFolder)
    const file = fileToCheck(context, root)
    const report = await checkPolicies(file, [...(await loadAllServices(app)).values()])
    const mistakes = report.mistakes.map(oneLine)
    if (mistakes.length === 0) {
      const about = summaryOf(report.policies)
      terminal.result({ file, isOk: true, mistakes, ...about }, () => [
        `${terminal.style('green', 'ok')}: ${file}`,
        ...table([
          ['  services', about.services.join(', ') || 'none'],
          ['  routes', String(about.routes)],
          ['  upstreams', String(about.upstreams)],
        ]),
      ])
      return 0
    }
    terminal.result({ file, isOk: false, mistakes }, () => mistakes)
    const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`
    terminal.error(`${file} has ${count}; nothing of it would hold.`)
    return 1
  },
}

/** @throws UsageError when nobody names one. */
function fileToCheck(context: CommandContext, root: string): string {
  const [given] = context.positionals
  if (given !== undefined) return resolve(context.workingFolder, given)
  const file = policyFileOf(context) ?? findRunning(dataFolderOf(context, root))?.policies
  if (file === undefined) throw new UsageError('there is no policy file: name one, or set FLOTILLA_POLICIES')
  return file
}

/** What a file that holds is about. */
interface Summary {
  /** Those with policies of calls to them. */
  readonly services: readonly string[]
  /** Of the gateway. */
  readonly routes: number
  /** Foreign servers behind the gateway. */
  readonly upstreams: number
}

function summaryOf({ services, gateway }: Policies): Summary {
  const { routes, upstreams } = (gateway ?? {}) as { routes?: readonly unknown[]; upstreams?: object }
  return {
    services: Object.keys(services ?? {}),
    routes: routes?.length ?? 0,
    upstreams: Object.keys(upstreams ?? {}).length,
  }
}
