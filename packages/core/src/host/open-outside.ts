/**
 * Counting what a process asks of servers outside. Those that stand for the outside world in this app are known by name: a service that was
 * told where one of them is will ask it, which is shown before it has.
 *
 * @module
 */
import type { Metrics } from '../telemetry/metrics.ts'
import { OutsideRequests } from '../telemetry/outside-requests.ts'
import type { App } from './app.ts'
import { type Environment, variableName } from './config.ts'

/** As what the world outside asks us. */
const GATEWAY = 'gateway'

/** For a process that runs `services`. */
export function openOutside(
  metrics: Metrics,
  app: App,
  services: readonly string[],
  environment: Environment,
): OutsideRequests {
  const told = toldOf(app, environment).filter(({ caller }) => services.includes(caller))
  const requests = new OutsideRequests(metrics, new Map(told.map(({ host, peer }) => [host, peer])))
  // Whether somebody asks the gateway who knows its address is seen when it is so.
  for (const { caller, host, peer } of told) if (peer !== GATEWAY) requests.peer(caller, host)
  return requests
}

/** A service that was told where a server is. */
interface Told {
  readonly caller: string
  readonly host: string
  readonly peer: string
}

function toldOf({ outside = [] }: App, environment: Environment): readonly Told[] {
  return outside.flatMap(({ service, tells = [] }) =>
    tells.flatMap(({ service: caller, field, value }) => {
      const url = environment[variableName(caller, field)] ?? ''
      const peer = value.includes('{port}') ? service : value.includes('{gateway}') ? GATEWAY : undefined
      return peer !== undefined && URL.canParse(url) ? [{ caller, host: new URL(url).host, peer }] : []
    }),
  )
}
