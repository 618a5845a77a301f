/**
 * The pages: their addresses, names and keys.
 *
 * @module
 */
import type { JSX } from 'preact'
import { AlertsPage } from '../pages/alerts-page.tsx'
import { EventsPage } from '../pages/events-page.tsx'
import { GatewayPage } from '../pages/gateway-page.tsx'
import { InfrastructurePage } from '../pages/infrastructure-page.tsx'
import { LogsPage } from '../pages/logs/logs-page.tsx'
import { MapPage } from '../pages/map/map-page.tsx'
import { MetricsPage } from '../pages/metrics/metrics-page.tsx'
import { OverviewPage } from '../pages/overview-page.tsx'
import { SagaPage, SagasPage } from '../pages/sagas-page.tsx'
import { ServicePage } from '../pages/services/service-page.tsx'
import { ServicesPage } from '../pages/services/services-page.tsx'
import { TracesPage } from '../pages/traces/search-page.tsx'
import { TracePage } from '../pages/traces/trace-page.tsx'
import { PageHead } from '../parts/panel.tsx'
import { hrefTo } from '../state/place.ts'
import { splitPath } from './split-path.ts'

/** A page of the navigation. */
export interface Page {
  readonly path: string
  readonly title: string
  /** Goes there after `g`. */
  readonly key: string
  readonly show: () => JSX.Element
  /** For addresses below its own: one thing of its kind. */
  readonly showOne?: (name: string) => JSX.Element
}

/** In the order of the navigation. */
export const PAGES: readonly Page[] = [
  { path: '/', title: 'Overview', key: 'o', show: () => <OverviewPage /> },
  { path: '/map', title: 'Map', key: 'm', show: () => <MapPage /> },
  {
    path: '/services',
    title: 'Services',
    key: 's',
    show: () => <ServicesPage />,
    showOne: (service) => <ServicePage service={service} />,
  },
  {
    path: '/traces',
    title: 'Traces',
    key: 't',
    show: () => <TracesPage />,
    showOne: (traceId) => <TracePage traceId={traceId} />,
  },
  { path: '/logs', title: 'Logs', key: 'l', show: () => <LogsPage /> },
  { path: '/metrics', title: 'Metrics', key: 'x', show: () => <MetricsPage /> },
  { path: '/events', title: 'Events', key: 'e', show: () => <EventsPage /> },
  {
    path: '/sagas',
    title: 'Sagas',
    key: 'a',
    show: () => <SagasPage />,
    showOne: (id) => <SagaPage id={id} />,
  },
  { path: '/gateway', title: 'Gateway', key: 'w', show: () => <GatewayPage /> },
  { path: '/alerts', title: 'Alerts', key: 'r', show: () => <AlertsPage /> },
  { path: '/infrastructure', title: 'Infrastructure', key: 'i', show: () => <InfrastructurePage /> },
]

/** The page a path belongs to; undefined where there is none. */
export function pageAt(path: string): Page | undefined {
  const { page } = splitPath(path)
  return PAGES.find((one) => one.path === page)
}

/** What the address line says, on the screen. */
export function PageAt({ path }: { readonly path: string }): JSX.Element {
  const { rest } = splitPath(path)
  const page = pageAt(path)
  if (page && rest === undefined) return page.show()
  if (page?.showOne && rest !== undefined) return page.showOne(rest)
  return (
    <div class="stack">
      <PageHead title="There is no such page" about="Check the address, or begin at the overview." />
      <p>
        <a href={hrefTo('/')}>Overview</a>
      </p>
    </div>
  )
}
