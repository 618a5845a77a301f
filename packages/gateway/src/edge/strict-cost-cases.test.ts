/**
 * What is sent by the campaign of costs: every request of the corpus of strict HTTP, and the known ways to make a server work or hold
 * memory for nothing. Each case is the bytes of one connection, as many requests as it bears, after which the gateway closes it.
 *
 * @module
 */
import { type CostCase, repeated, single } from './strict-cost-case.test.ts'
import { floods } from './strict-cost-floods.test.ts'
import { heldCases } from './strict-cost-held.test.ts'
import { http2Cases } from './strict-cost-http2.test.ts'
import { refusedFields } from './strict-refused-fields.test.ts'
import { refusedFramings } from './strict-refused-framing.test.ts'
import { refusedLines } from './strict-refused-lines.test.ts'
import { get } from './strict-requests.test.ts'
import { taken } from './strict-taken.test.ts'

/** A head or body that is late: what waits costs memory, and is told of apart. */
const LATE = 408
const LAST = get('Connection: close\r\n', '/nothing')
/** What is as long as many of the others. */
const LONG = 100_000

function corpus(): CostCase[] {
  const refused = [...refusedFramings, ...refusedFields, ...refusedLines]
    .filter(({ statuses }) => !statuses.includes(LATE))
    .flatMap(({ cases }) => Object.entries(cases).map(([what, bytes]) => single(`refused: ${what}`, bytes)))
  const accepted = taken.flatMap(({ rule, cases }) =>
    Object.entries(cases).map(([what, bytes]) => {
      const isOne = /HTTP\/1\.0|connection: .*close/i.test(bytes) || bytes.length > LONG
      return isOne
        ? single(`taken: ${what}, ${rule}`, bytes + LAST)
        : repeated(`taken: ${what}, ${rule}`, bytes)
    }),
  )
  return [...refused, ...accepted]
}

/** All of them. */
export function casesOf(): CostCase[] {
  return [...corpus(), ...floods(), ...http2Cases(), ...heldCases()]
}
