/**
 * What people write to choose series: `label=value`, `label!=value`, separated by commas; several values of a label by `|`.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import type { LabelMatcher } from '../telemetry/series-index.ts'

const CONDITION = /^([A-Za-z_][\w.]*)(!?=)(.*)$/

/** @throws FlotillaError `invalid_argument` naming what cannot be read. */
export function matchersOf(where: string | undefined): readonly LabelMatcher[] {
  return listOf(where).map((text) => {
    const [, label, is, value = ''] = CONDITION.exec(text) ?? []
    if (label === undefined || is === undefined)
      throw new FlotillaError('invalid_argument', `'${text}' is not label=value or label!=value.`)
    return { label, is: is === '=' ? '=' : '!=', values: value.split('|') }
  })
}

/** Undefined: each series by itself; empty: all as one. */
export function byOf(by: string | undefined): readonly string[] | undefined {
  return by === undefined ? undefined : listOf(by)
}

function listOf(text = ''): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
