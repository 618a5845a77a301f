/**
 * Reading a command line.
 *
 * @module
 */
import { parseArgs } from 'node:util'

/** A mistake in how a command was written. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** An option of a command. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean'
  /** How its value is called in the help; absent for switches. */
  readonly value?: string
  readonly summary: string
}

/** Options every command takes. */
export const commonOptions: Readonly<Record<string, OptionSpec>> = {
  json: { type: 'boolean', summary: 'print JSON' },
  data: {
    type: 'string',
    value: 'DIR',
    summary: 'data folder (default: .flotilla in the checkout, or FLOTILLA_DATA)',
  },
  help: { type: 'boolean', summary: 'show this help' },
}

/** What was given. */
export interface GivenArguments {
  readonly positionals: readonly string[]
  readonly options: Readonly<Record<string, string | boolean | undefined>>
}

/** @throws UsageError naming what is not known. */
export function readArguments(
  args: readonly string[],
  options: Readonly<Record<string, OptionSpec>>,
): GivenArguments {
  const known = { ...options, ...commonOptions }
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: Object.fromEntries(Object.entries(known).map(([name, { type }]) => [name, { type }])),
      allowPositionals: true,
      strict: true,
    })
    return { positionals, options: values as GivenArguments['options'] }
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0] as string)
  }
}

/** A text option; undefined when it is not given. */
export function textOption({ options }: GivenArguments, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}
