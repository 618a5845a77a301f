/**
 * What the control process is told by its environment, beside what every host is: one variable of JSON, since it is made and read by us alone.
 * There are secrets in it, as in every host's environment, which only its owner can read.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import type { Placement } from '../topology/placement.ts'

/** What it is told. */
export interface ControlTold {
  /** Of the checkout, where the app is found. */
  readonly root: string
  /** The data folder. */
  readonly folder: string
  readonly placement: Placement
  /** Hosts that can run once only. */
  readonly singles: readonly string[]
  /** The gateway's origin. */
  readonly gateway: string
  /** ISO 8601; of the system, not of the process. */
  readonly startedAt: string
  /** Where they are, for people; their URLs by service. */
  readonly databases: { readonly description: string; readonly urls: Readonly<Record<string, string>> }
  /** The private key that user tokens are signed with. */
  readonly userKey: string
  /** Of operators. */
  readonly token: string
  /** What the console's login link carries. */
  readonly consoleKey: string
  /** With what programs send telemetry. */
  readonly telemetryKey: string
  /** Path of the operator's alert rules; absent: there are none. */
  readonly alertRules?: string | undefined
}

const VARIABLE = 'FLOTILLA_CONTROL'

/** As a variable of the environment. */
export function tellControl(told: ControlTold): Readonly<Record<string, string>> {
  return { [VARIABLE]: JSON.stringify(told) }
}

/** @throws FlotillaError `failed_precondition` when there is nothing: somebody else than the supervisor started the process. */
export function controlTold(environment: Readonly<Record<string, string | undefined>>): ControlTold {
  const text = environment[VARIABLE]
  if (text !== undefined) return JSON.parse(text) as ControlTold
  throw new FlotillaError('failed_precondition', 'The control process is started by: npx flotilla up')
}
