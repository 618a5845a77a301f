/**
 * Tables that can be sorted, the order being part of the address.
 *
 * @module
 */
import type { ComponentChildren, JSX } from 'preact'
import { place, setParams } from '../state/place.ts'
import { Empty } from './states.tsx'
import { type Order, parseOrder, sorted } from './table-order.ts'

/** A column. */
export interface Column<Row> {
  /** Also its name in addresses. */
  readonly title: string
  readonly cell: (row: Row) => ComponentChildren
  /** What rows are ordered by; absent: they cannot be. */
  readonly by?: (row: Row) => number | string
  /** `number`: at the right, and the highest first. */
  readonly as?: 'number' | 'nowrap' | 'clip' | 'head'
}

/** What a table needs. */
export interface TableProps<Row> {
  /** For those who do not see it. */
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  /** Parameter of the address that holds the order; absent: it cannot be changed. */
  readonly orderParam?: string
  /** Stands there when there are no rows. */
  readonly empty?: ComponentChildren
}

/** The table. Unsorted, rows stand as they came. */
export function DataTable<Row>(props: TableProps<Row>): JSX.Element {
  const { caption, columns, rows, keyOf, orderParam, empty } = props
  if (rows.length === 0) return <>{empty ?? <Empty title="Nothing here" />}</>
  const order = orderParam === undefined ? undefined : parseOrder(place.value.params[orderParam])
  const by = columns.find(({ title }) => title === order?.title)?.by
  const shown = order && by ? sorted(rows, by, order.isDescending) : rows
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="table-wrap" tabIndex={0} aria-label={caption}>
      <table>
        <caption class="sr">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <Heading key={column.title} column={column} order={order} orderParam={orderParam} />
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={keyOf(row)}>{columns.map((column) => cellOf(column, row))}</tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function cellOf<Row>({ title, as, cell }: Column<Row>, row: Row): JSX.Element {
  if (as === 'head') {
    return (
      <th key={title} scope="row">
        {cell(row)}
      </th>
    )
  }
  return (
    <td key={title} class={as}>
      {cell(row)}
    </td>
  )
}

function Heading<Row>({
  column: { title, by, as },
  order,
  orderParam,
}: {
  readonly column: Column<Row>
  readonly order: Order | undefined
  readonly orderParam: string | undefined
}): JSX.Element {
  const kind = as === 'number' ? 'number' : undefined
  if (by === undefined || orderParam === undefined) {
    return (
      <th scope="col" class={kind}>
        {title}
      </th>
    )
  }
  const isOrdered = order?.title === title
  const isDescending = isOrdered ? !order.isDescending : as === 'number'
  const direction = order?.isDescending ? 'descending' : 'ascending'
  return (
    <th scope="col" class={kind} aria-sort={isOrdered ? direction : 'none'}>
      <button type="button" onClick={() => setParams({ [orderParam]: `${isDescending ? '-' : ''}${title}` })}>
        {title}
        <span aria-hidden="true">{isOrdered ? (order.isDescending ? ' ↓' : ' ↑') : ''}</span>
      </button>
    </th>
  )
}
