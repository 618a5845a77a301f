/**
 * The policies of a host: what its parts of the policy file are, and who hears of them.
 *
 * The section `services` is about calls, and every process heeds it. A section with the name of a service is that service's own: the
 * processes that run it check it and apply it, all others pass it over.
 *
 * @module
 */
import type { ServicePolicies } from '../client/call-policies.ts'
import type { Service } from '../service/definition.ts'
import { OwnPolicies } from './own-policies.ts'
import type { HostParts } from './parts.ts'
import { CALLS_SECTION, policyChecks } from './policy-check.ts'
import { PolicyFile, type PolicySection } from './policy-file.ts'

/** Reads the policy file, if there is one, and follows its changes; `services` are those of this process. */
export async function openPolicies(
  { app, settings, ports, log, metrics, policies, ownPolicies, closing }: HostParts,
  services: readonly Service[],
): Promise<void> {
  if (settings.policies === '') return
  const names = Object.keys(app.services)
  const elsewhere = new Set(names)
  for (const { contract } of services) elsewhere.delete(contract.name)
  const sections: Record<string, PolicySection> = {}
  for (const [name, check] of Object.entries(policyChecks(names, services))) {
    if (name === CALLS_SECTION) {
      sections[name] = { ...check, apply: (value) => policies.replace((value ?? {}) as ServicePolicies) }
      continue
    }
    const follower = new OwnPolicies()
    ownPolicies.set(name, follower)
    sections[name] = { ...check, apply: (value) => follower.replace(value) }
  }
  const refused = metrics.gauge('flotilla_policies_refused', '1 while the policy file has mistakes.').with()
  const file = new PolicyFile({
    path: settings.policies,
    clock: ports.clock,
    sections,
    elsewhere,
    onRead(mistakes) {
      refused.set(mistakes.length > 0 ? 1 : 0)
      if (mistakes.length === 0) log.info('the policies hold', { file: settings.policies })
      else log.error('the policies have mistakes; nothing is changed', { file: settings.policies, mistakes })
    },
  })
  closing.defer('policy file', () => file.close())
  await file.open()
}
