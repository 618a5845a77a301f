/**
 * Rate, errors and durations as columns, figures and words: the same on every page.
 *
 * @module
 */
import type { JSX } from 'preact'
import { duration, rate, share } from '../format/figures.ts'
import type { Column } from '../parts/data-table.tsx'

/** What was asked of something. */
export interface Red {
  readonly rate: number
  readonly errorShare: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

/** From this share on errors are shown as bad. */
const ERRORS_BAD = 0.05

/** How bad a share of errors is; undefined when there is none. */
export function errorTone(errorShare: number): 'bad' | 'warning' | undefined {
  if (errorShare <= 0) return undefined
  return errorShare >= ERRORS_BAD ? 'bad' : 'warning'
}

/** The columns of a table. */
export function redColumns<Row extends Red>(errorsCell: (row: Row) => JSX.Element | string): Column<Row>[] {
  return [
    { title: 'rate', as: 'number', by: (row) => row.rate, cell: (row) => rate(row.rate) },
    { title: 'errors', as: 'number', by: (row) => row.errorShare, cell: errorsCell },
    { title: 'p50', as: 'number', by: (row) => row.p50Ms, cell: (row) => lasted(row, row.p50Ms) },
    { title: 'p95', as: 'number', by: (row) => row.p95Ms, cell: (row) => lasted(row, row.p95Ms) },
    { title: 'p99', as: 'number', by: (row) => row.p99Ms, cell: (row) => lasted(row, row.p99Ms) },
  ]
}

function lasted({ rate: its }: Red, valueMs: number): string {
  return its === 0 ? '–' : duration(valueMs)
}

/** `12/s · 18 ms · 2 % errors`. */
export function redInWords(of: Pick<Red, 'rate' | 'errorShare' | 'p95Ms'>): string {
  const parts = [rate(of.rate)]
  if (of.rate > 0 && of.p95Ms > 0) parts.push(duration(of.p95Ms))
  if (of.errorShare > 0) parts.push(`${share(of.errorShare)} errors`)
  return parts.join(' · ')
}
