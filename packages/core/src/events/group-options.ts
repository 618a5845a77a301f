/**
 * What a group of consumers needs, and whom it tells how it goes.
 *
 * @module
 */
import type { Ports } from '../kernel/context.ts'
import type { Database } from '../store/database.ts'
import type { Transaction } from '../store/transaction.ts'
import type { Worker } from '../store/worker.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Envelope } from './envelope.ts'
import type { EventLog } from './log.ts'

/** What a group is made of. */
export interface GroupOptions {
  readonly name: string
  readonly topics: readonly string[]
  /** Reacts to events in their order, within the transaction. Rejects: one of them could not be handled. */
  readonly react: (events: readonly Envelope[], tx: Transaction) => Promise<void>
  readonly database: Database
  readonly worker: Worker
  readonly eventLog: EventLog
  readonly ports: Ports
  readonly log: Logger
  readonly metrics: GroupMetrics
}

/** What is told of a group. */
export interface GroupMetrics {
  /** Milliseconds from the publishing of an event to the commit of its reactions, at each event. */
  handled(delayMs: number): void
  parked(): void
  dead(): void
  /** The log had forgotten events that were wanted. */
  missed(): void
  /** Positions between the last event handled and the end of the log. */
  lag(positions: number): void
}
