/**
 * The policies of a host: what its part of the policy file is, and who hears of it.
 *
 * @module
 */
import { type ServicePolicies, servicePoliciesCheck } from '../client/call-policies.ts'
import type { App } from './app.ts'
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

/** Reads the policy file, if there is one, and follows its changes. */
export async function openPolicies({
  app,
  settings,
  ports,
  log,
  metrics,
  policies,
  closing,
}: HostParts): Promise<void> {
  if (settings.policies === '') return
  const refused = metrics.gauge('flotilla_policies_refused', '1 while the policy file has mistakes.').with()
  const file = new PolicyFile({
    path: settings.policies,
    clock: ports.clock,
    sections: { services: servicesSection(app, (services) => policies.replace(services)) },
    onRead(mistakes) {
      refused.set(mistakes.length > 0 ? 1 : 0)
      if (mistakes.length === 0) log.info('the policies hold', { file: settings.policies })
      else log.error('the policies have mistakes; nothing is changed', { file: settings.policies, mistakes })
    },
  })
  closing.defer('policy file', () => file.close())
  await file.open()
}
