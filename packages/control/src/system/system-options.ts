/**
 * What a system is opened with.
 *
 * @module
 */
import type { Ports } from '@flotilla/core/context'
import type { FlotillaError } from '@flotilla/core/error'
import type { Logger } from '@flotilla/core/log'
import type { Service } from '@flotilla/core/service'
import type { ProcessSlot } from '../supervisor/process-slot.ts'
import type { PlaceableService, Placement } from '../topology/placement.ts'
import type { AppModule } from './app-module.ts'
import type { DataFolder, Secrets } from './data-folder.ts'
import type { SystemPorts } from './ports.ts'

/** What a system is opened with. */
export interface SystemOptions {
  readonly module: AppModule
  readonly services: ReadonlyMap<string, Service>
  readonly placeable: readonly PlaceableService[]
  readonly placement: Placement
  readonly folder: DataFolder
  readonly secrets: Secrets
  readonly tcp: SystemPorts
  readonly ports: Ports
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly log: Logger
  /** Told of every step. */
  readonly onStep: (step: string) => void
  /** Told when a process ends by itself. */
  readonly onEnd: (slot: ProcessSlot) => void
  /** Somebody asked through the control API to stop. */
  readonly onDown: () => void
  /** The data is gone; the system is to be stopped. */
  readonly onLost: (error: FlotillaError) => void
  /** Aborted when the system is to be stopped: a start that is under way waits for nothing more, and what ends is no news. */
  readonly signal: AbortSignal
}
