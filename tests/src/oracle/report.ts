/**
 * What the oracle says.
 *
 * @module
 */

/** Something that must not be. */
export interface Violation {
  /** What is wrong, with the figures. */
  readonly what: string
  /** Ids of orders, SKUs, events … to look for. */
  readonly ids: readonly string[]
}

/** What came of one check. */
export interface Found {
  /** How many things were looked at; 0 proves nothing. */
  readonly checked: number
  readonly violations: readonly Violation[]
}

/** One thing that must hold. */
export interface Check {
  /** Number and name of the invariant it belongs to. */
  readonly invariant: string
  /** What this part of it says. */
  readonly says: string
  /** always: at every instant, whatever is going on. settled: some time after the last fault and the last request. */
  readonly holds: 'always' | 'settled'
  readonly look: (world: import('./world.ts').World) => Promise<Found>
}

/** A check and what came of it. */
export interface Line extends Found {
  readonly invariant: string
  readonly says: string
}

/** What came of all. */
export interface Report {
  readonly lines: readonly Line[]
  readonly isGood: boolean
}

const SHOWN_MAX = 5

/** Gathers what one check finds. */
export class Finding implements Found {
  checked = 0
  readonly violations: Violation[] = []

  /** Counts one thing as looked at; it is wrong when there is something to say about it. */
  expect(isRight: boolean, ids: string | readonly string[], what: string | (() => string)): void {
    this.checked++
    if (!isRight) this.wrong(ids, typeof what === 'string' ? what : what())
  }

  /** Notes a violation. */
  wrong(ids: string | readonly string[], what: string): void {
    this.violations.push({ what, ids: typeof ids === 'string' ? [ids] : ids })
  }
}

/** The report as people read it: a line for each check, the first violations below. */
export function formatReport({ lines, isGood }: Report): string {
  const text: string[] = []
  let invariant = ''
  for (const line of lines) {
    if (line.invariant !== invariant) text.push(line.invariant)
    invariant = line.invariant
    const { length } = line.violations
    text.push(`  ${length === 0 ? 'ok  ' : 'FAIL'} ${String(line.checked).padStart(7)}  ${line.says}`)
    for (const { what, ids } of line.violations.slice(0, SHOWN_MAX))
      text.push(`         ${what}: ${ids.join(' ')}`)
    if (length > SHOWN_MAX) text.push(`         … and ${length - SHOWN_MAX} more`)
  }
  text.push(isGood ? 'Everything holds.' : 'Something does not hold.')
  return text.join('\n')
}
