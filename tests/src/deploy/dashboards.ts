/**
 * The dashboards of deploy/grafana, and what they ask.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Built, this file lies in tests/dist/deploy. */
const FOLDER = join(import.meta.dirname, '../../../deploy/grafana')

/** A diagram, or a heading. */
export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly datasource?: { readonly uid: string }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

/** One of the files. */
export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly panels: readonly Panel[]
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[]
  }
}

/** A question in a file of deploy/: its text, and all labels that go with it elsewhere. */
export interface Query {
  readonly where: string
  readonly expr: string
  readonly labels: readonly string[]
}

/** All of them, by the names of their files. */
export const dashboards: readonly (readonly [name: string, dashboard: Dashboard])[] = readdirSync(FOLDER).map(
  (name) => [name, JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Dashboard] as const,
)

/** Everything they ask. */
export function dashboardQueries(): Query[] {
  return dashboards.flatMap(([name, { panels, templating }]) => [
    ...panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr, legendFormat }) => ({
        where: `${name}: ${title}`,
        expr,
        labels: [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label),
      })),
    ),
    ...templating.list.flatMap(({ definition = '' }) => {
      const [, expr, label] = /^label_values\((\w+), (\w+)\)$/.exec(definition) ?? []
      return expr === undefined || label === undefined ? [] : [{ where: name, expr, labels: [label] }]
    }),
  ])
}
