/**
 * What a command is.
 *
 * @module
 */
import type { GivenArguments, OptionSpec } from './arguments.ts'
import type { Terminal } from './terminal.ts'

/** What a command works with. */
export interface CommandContext extends GivenArguments {
  readonly terminal: Terminal
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workingFolder: string
}

/** A command. */
export interface Command {
  readonly name: string
  /** What stands behind the name in the usage line. */
  readonly usage: string
  readonly summary: string
  /** More about it, for its own help. */
  readonly details?: string
  /** How many arguments it takes beside options; default 0. */
  readonly argumentsMax?: number
  readonly options?: Readonly<Record<string, OptionSpec>>
  /** Resolves with the exit code; 0 unless it says otherwise. */
  run(context: CommandContext): Promise<number | undefined>
}
