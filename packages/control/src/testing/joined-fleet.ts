/**
 * Both ends of the talk between supervisor and control process in one process, as if the channel were between them.
 *
 * @module
 */
import type { Clock } from '@flotilla/core/clock'
import type { FromControl, ToControl } from '../supervisor/fleet.ts'
import { FleetDesk, type FleetDeskOptions } from '../supervisor/fleet-desk.ts'
import { RemoteFleet } from '../supervisor/remote-fleet.ts'

/** The two ends. */
export interface JoinedFleet {
  readonly fleet: RemoteFleet
  readonly desk: FleetDesk
  /** Tells the fleet how the processes are. */
  tell(): void
}

/** Joins them; what is said arrives later, and as JSON. */
export function joinFleet(
  options: Pick<FleetDeskOptions, 'supervisor'> &
    Partial<FleetDeskOptions> & { readonly clock: Clock; readonly onClosing?: () => Promise<void> },
): JoinedFleet {
  const { clock, onClosing = async () => {} } = options
  const passOn = <M>(message: M, take: (message: M) => void): void => {
    const text = JSON.stringify(message)
    void Promise.resolve().then(() => take(JSON.parse(text) as M))
  }
  const desk = new FleetDesk({ self: 'control', onDown: () => {}, onUnwatched: () => {}, ...options })
  const hear = (message: ToControl): void => passOn(message, (its) => fleet.take(its))
  const fleet: RemoteFleet = new RemoteFleet({
    clock,
    onClosing,
    send: (message: FromControl) => passOn(message, (its) => desk.take(its, hear)),
  })
  const tell = (): void => hear(desk.state)
  tell()
  return { fleet, desk, tell }
}
