/**
 * The policies of a host: what its parts of the policy file are, and who hears of them.
 *
 * The section `services` is about calls, and every process heeds it. A section with the name of a service is that service's own: the
 * processes that run it check it and apply it, all others pass it over.
 *
 * @module
 */
import { type ServicePolicies, servicePoliciesCheck } from '../client/call-policies.ts'
import type { Service } from '../service/definition.ts'
import type { App } from './app.ts'
import { OwnPolicies } from './own-policies.ts'
import type { HostParts } from './parts.ts'
import { PolicyFile, type PolicySection } from './policy-file.ts'

/** The section `services`: policies of calls, by the service that is called. */
function servicesSection(app: App, apply: (policies: ServicePolicies) => void): PolicySection {
  const known = new Set(Object.keys(app.services))
  return {
    check: servicePoliciesCheck,
    mistakesIn: (value) =>
      Object.keys(value as ServicePolicies)
        .filter((service) => !known.has(service))
        .map((service) => `/${service}: there is no such service`),
    apply: (value) => apply((value ?? {}) as ServicePolicies),
  }
}

/** Reads the policy file, if there is one, and follows its changes; `services` are those of this process. */
export async function openPolicies(
  { app, settings, ports, log, metrics, policies, ownPolicies, closing }: HostParts,
  services: readonly Service[],
): Promise<void> {
  if (settings.policies === '') return
  const sections: Record<string, PolicySection> = {
    services: servicesSection(app, (its) => policies.replace(its)),
  }
  const elsewhere = new Set(Object.keys(app.services))
  for (const { contract, policies: own } of services) {
    elsewhere.delete(contract.name)
    if (own === undefined) continue
    const follower = new OwnPolicies()
    ownPolicies.set(contract.name, follower)
    sections[contract.name] = { ...own, apply: (value) => follower.replace(value) }
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
