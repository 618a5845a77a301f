/**
 * An application: the list of its services. The only place that names them; each is loaded when a host needs it, so that a
 * process loads only what it runs.
 *
 * @module
 */
import { FlotillaError } from '../kernel/error.ts'
import type { Service } from '../service/definition.ts'

/** An application. */
export interface App {
  readonly name: string
  /** The folder that paths such as a service's migrations are relative to. */
  readonly folder: string
  /** How to load each service, by its name. */
  readonly services: Readonly<Record<string, () => Promise<Service>>>
  /**
   * Accounts that first data comes with. Their passwords are made once per installation, given to the service `auth` as a
   * setting, and shown at every start.
   */
  readonly logins?: readonly { readonly email: string; readonly field: string }[]
  /**
   * Settings that are secrets of a service, such as a key it encrypts with: random words, made once per installation and
   * given to the processes that run the service.
   */
  readonly secrets?: readonly { readonly service: string; readonly field: string }[]
}

/** Declares an application. */
export function defineApp(app: App): App {
  return app
}

/**
 * Loads services, those that are called before those that call them.
 *
 * @throws FlotillaError `failed_precondition` when a name is not in the app, or its service has another name.
 */
export async function loadServices(app: App, names: readonly string[]): Promise<readonly Service[]> {
  const loaded = await Promise.all(names.map((name) => loadService(app, name)))
  return inOrderOfNeed(loaded)
}

async function loadService(app: App, name: string): Promise<Service> {
  const load = Object.hasOwn(app.services, name) ? app.services[name] : undefined
  if (load === undefined) {
    throw new FlotillaError(
      'failed_precondition',
      `The app ${app.name} has no service ${name}; it has ${Object.keys(app.services).join(', ')}.`,
    )
  }
  const service = await load()
  if (service.contract.name !== name) {
    throw new FlotillaError(
      'failed_precondition',
      `The app ${app.name} calls a service ${name} whose contract is named ${service.contract.name}.`,
    )
  }
  return service
}

/** Sorts so that callees come first. Services that call each other in a circle keep their given order. */
export function inOrderOfNeed(services: readonly Service[]): readonly Service[] {
  const byName = new Map(services.map((service) => [service.contract.name, service]))
  const sorted = new Set<Service>()
  const visiting = new Set<Service>()
  const visit = (service: Service): void => {
    if (sorted.has(service) || visiting.has(service)) return
    visiting.add(service)
    for (const { name } of service.calls) {
      const callee = byName.get(name)
      if (callee !== undefined) visit(callee)
    }
    sorted.add(service)
  }
  for (const service of services) visit(service)
  return [...sorted]
}
