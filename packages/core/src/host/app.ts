/**
 * An application: the list of its services. The only place that names them; each is loaded when a host needs it, so that a
 * process loads only what it runs.
 *
 * @module
 */
import { FlotillaError } from '../kernel/error.ts'
import type { Service } from '../service/definition.ts'
import { variableName } from './config.ts'

/** An application; `Name` are the names of its services. */
export interface App<Name extends string = string> {
  readonly name: string
  /** The folder that paths such as a service's migrations are relative to. */
  readonly folder: string
  /** How to load each service, by its name. */
  readonly services: Readonly<Record<Name, () => Promise<Service>>>
  /**
   * Services that stand for the outside world, such as a payment provider: each runs in a process of its own wherever the others
   * run, and listens on a port of its own.
   */
  readonly outside?: readonly OutsideService<NoInfer<Name>>[]
  /**
   * Accounts that first data comes with. Their passwords are made once per installation, given to the service `auth` as a
   * setting, and shown at every start.
   */
  readonly logins?: readonly { readonly email: string; readonly field: string }[]
  /**
   * Settings that are secrets of a service, such as a key it encrypts with: random words, made once per installation and
   * given to the processes that run the service. Those with the same `name` are one secret, which its services share; one
   * without is nobody else's.
   */
  readonly secrets?: readonly {
    readonly service: NoInfer<Name>
    readonly field: string
    readonly name?: string
  }[]
}

/** A service that stands for the outside world, and who is told where it is. */
export interface OutsideService<Name extends string = string> {
  readonly service: Name
  /** Default of its setting `port`, which `FLOTILLA_<SERVICE>_PORT` decides; below 32768. */
  readonly port: number
  /**
   * Settings that follow from ports, of any service: in a value, `{port}` is its own and `{gateway}` the gateway's.
   * Default none.
   */
  readonly tells?: readonly { readonly service: Name; readonly field: string; readonly value: string }[]
}

/** Declares an application. */
export function defineApp<Name extends string>(app: App<Name>): App {
  return app as App
}

/** The environment variable that decides the port of an outside service: `FLOTILLA_PROVIDER_PORT`. */
export function outsidePortVariable(service: string): string {
  return `FLOTILLA_${variableName(service, 'port')}`
}

/** Settings that services do not choose, by service and field. */
export type DecidedSettings = Readonly<Record<string, Readonly<Record<string, string>>>>

/** What decides them. */
export interface SettingsSource {
  readonly gatewayPort: number
  /** Of all outside services. */
  readonly outsidePorts: Readonly<Record<string, number>>
  /** The secret of a name: the same at every time it is asked for. */
  readonly secretOf: (name: string) => string
}

/** What an app's services are told of their secrets, and of ports that outside services have. */
export function decideSettings(app: App, source: SettingsSource): DecidedSettings {
  const settings: Record<string, Record<string, string>> = {}
  const tell = (service: string, field: string, value: string): void => {
    settings[service] = { ...settings[service], [field]: value }
  }
  for (const { service, field, name } of app.secrets ?? []) {
    tell(service, field, source.secretOf(name === undefined ? `${service} ${field}` : `shared ${name}`))
  }
  for (const { service: outside, tells = [] } of app.outside ?? []) {
    const port = String(source.outsidePorts[outside])
    tell(outside, 'port', port)
    for (const { service, field, value } of tells) {
      tell(
        service,
        field,
        value.replaceAll('{port}', port).replaceAll('{gateway}', String(source.gatewayPort)),
      )
    }
  }
  return settings
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
