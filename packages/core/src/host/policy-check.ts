/**
 * What is wrong with the operator's policies. A process has it checked for the services it runs, the command line for all of the app:
 * both by what the services themselves bring along, so that there is one opinion.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { mistakesInCalls, type ServicePolicies, servicePoliciesCheck } from '../client/call-policies.ts'
import type { Contract } from '../contract/contract.ts'
import { lazyCheck, Type } from '../contract/schema.ts'
import type { OwnPolicySection, Service } from '../service/definition.ts'

/** What a file says, by its sections. */
export type Policies = Readonly<Record<string, unknown>>

/** Name of the section about calls; all others are named as the service they are for. */
export const CALLS_SECTION = 'services'

const isMapping = lazyCheck(Type.Record(Type.String(), Type.Unknown()))

/**
 * The checks, by section, of whoever has `services`: that of calls, and those of the services that take anything. What a call is
 * about is checked as far as the contracts of these services and of those they call tell.
 *
 * @param names of all services of the app
 */
export function policyChecks(
  names: readonly string[],
  services: readonly Service[],
): Readonly<Record<string, OwnPolicySection>> {
  const known = new Map<string, Contract | undefined>(names.map((name) => [name, undefined]))
  for (const contract of services.flatMap((service) => [service.contract, ...service.calls])) {
    if (known.has(contract.name)) known.set(contract.name, contract)
  }
  const calls: OwnPolicySection = {
    check: servicePoliciesCheck,
    mistakesIn: (value) => mistakesInCalls(value as ServicePolicies, known),
  }
  const own = services.flatMap(({ contract, policies }) =>
    policies === undefined ? [] : [[contract.name, policies] as const],
  )
  return { [CALLS_SECTION]: calls, ...Object.fromEntries(own) }
}

/** What came of looking at a file. */
export interface PolicyReport {
  /** All mistakes, each as `pointer: what is wrong`; or why the file cannot be read. None: it holds. */
  readonly mistakes: readonly string[]
  /** Empty where the file cannot be read. */
  readonly policies: Policies
}

/** Looks at a file as all processes of an app together would; `services` are all it has. Never throws. */
export async function checkPolicies(path: string, services: readonly Service[]): Promise<PolicyReport> {
  const read = await readPolicies(path)
  if ('mistakes' in read) return { mistakes: read.mistakes, policies: {} }
  const names = services.map(({ contract }) => contract.name)
  const mistakes = await mistakesIn({ path, ...read, checks: policyChecks(names, services) })
  return { mistakes, ...read }
}

/** What is to be checked, and by whom. */
export interface FileContent {
  /** Of the file. */
  readonly path: string
  readonly policies: Policies
  /** By section. */
  readonly checks: Readonly<Record<string, OwnPolicySection>>
  /** Names of sections that somebody else takes care of; all others without a check are mistakes. Default none. */
  readonly elsewhere?: ReadonlySet<string> | undefined
}

/** All mistakes of a file's content, each as `pointer: what is wrong`. */
export async function mistakesIn({
  path,
  policies,
  checks,
  elsewhere,
}: FileContent): Promise<readonly string[]> {
  const mistakes: string[] = []
  for (const [name, value] of Object.entries(policies)) {
    const section = Object.hasOwn(checks, name) ? checks[name] : undefined
    if (section === undefined) {
      if (elsewhere?.has(name)) continue
      mistakes.push(`/${name}: is not known; there are ${Object.keys(checks).join(', ')}`)
      continue
    }
    const issues = section.check(value) ?? []
    mistakes.push(...issues.map(({ pointer, message }) => `/${name}${pointer}: ${message}`))
    if (issues.length === 0) {
      const more = (await section.mistakesIn?.(value, dirname(resolve(path)))) ?? []
      mistakes.push(...more.map((mistake) => `/${name}${mistake}`))
    }
  }
  return mistakes
}

/** The content of a file, or why it cannot be read. A file that is empty says nothing. */
export async function readPolicies(
  path: string,
): Promise<{ readonly policies: Policies } | { readonly mistakes: readonly string[] }> {
  try {
    const text = await readFile(path, 'utf8')
    const value: unknown = path.endsWith('.json') ? JSON.parse(text) : await parseYaml(text)
    if (value === null || value === undefined) return { policies: {} }
    if (isMapping(value) !== undefined) return { mistakes: ['the file must be a mapping of sections'] }
    return { policies: value as Policies }
  } catch (error) {
    return { mistakes: [(error as Error).message] }
  }
}

/** YAML 1.2, which has JSON in it. Loaded when there is any: most processes never need it. */
async function parseYaml(text: string): Promise<unknown> {
  // A bundle has the default export only.
  const { default: yaml } = await import('yaml')
  // Aliases can make a small file a huge one.
  return yaml.parse(text, { maxAliasCount: 100, prettyErrors: true })
}
