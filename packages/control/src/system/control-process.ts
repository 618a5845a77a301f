/**
 * The program of the control process: steers and watches a running system, and may end at any time without harm to what it watches.
 *
 * It is a host like every other (docs/architecture.md), started by the supervisor and watched by it. What it knows of processes, and has done with them, goes
 * over the channel between the two: see supervisor/fleet.ts.
 *
 * @module
 */
import { systemClock } from '@flotilla/core/clock'
import { Closing } from '@flotilla/core/closing'
import { runHost, type SupervisorMessage } from '@flotilla/core/run-host'
import type { ToControl } from '../supervisor/fleet.ts'
import { RemoteFleet } from '../supervisor/remote-fleet.ts'
import { controlTold } from './control-told.ts'
import { openControl } from './open-control.ts'

const lookers = new Closing(systemClock)
const fleet = new RemoteFleet({
  clock: systemClock,
  // The channel may be closing; 'disconnect' follows.
  send: (message) => process.send?.(message, undefined, undefined, () => {}),
  onClosing: () => lookers.close(),
})
process.on('message', (message: ToControl | SupervisorMessage) => fleet.take(message))
process.on('disconnect', () => fleet.cut())

await runHost('control', (given) =>
  openControl({
    given,
    told: controlTold(process.env),
    fleet,
    lookers,
    onUnwatched: (why) => process.send?.({ kind: 'unwatched', why }, undefined, undefined, () => {}),
  }),
)
