/**
 * What is wrong with the operator's policy file, told on the terminal.
 *
 * @module
 */
import { resolve } from 'node:path'
import { checkPolicies } from '@flotilla/core/policy-check'
import type { Service } from '@flotilla/core/service'
import type { CommandContext } from './command.ts'

/** The file that this environment names; undefined: none. */
export function policyFileOf({
  environment,
  workingFolder,
}: Pick<CommandContext, 'environment' | 'workingFolder'>): string | undefined {
  const path = environment['FLOTILLA_POLICIES']
  // An empty one is none, as it is to hosts; they have our working folder.
  return path ? resolve(workingFolder, path) : undefined
}

/** One line for each mistake of the file, if there is a file: what starts begins without policies then. */
export async function tellPolicyMistakes(
  context: CommandContext,
  services: ReadonlyMap<string, Service>,
): Promise<void> {
  const file = policyFileOf(context)
  if (file === undefined) return
  const { terminal } = context
  const { mistakes } = await checkPolicies(file, [...services.values()])
  for (const mistake of mistakes) terminal.line(terminal.style('yellow', `${file}: ${oneLine(mistake)}`))
  if (mistakes.length > 0)
    terminal.line(
      terminal.style('yellow', `No policy holds until this is mended; see: npx flotilla policies`),
    )
}

/** Of what YAML says of a file it cannot read, the lines that show where are left out. */
export function oneLine(text: string): string {
  return text.split('\n', 1)[0] as string
}
