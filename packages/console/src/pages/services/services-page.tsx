/**
 * All services in a table.
 *
 * @module
 */
import type { JSX } from 'preact'
import { PageHead, Panel } from '../../parts/panel.tsx'
import { Failed, Waiting } from '../../parts/states.tsx'
import { overview, overviewError } from '../../state/live.ts'
import { ServicesTable } from '../overview-page.tsx'

/** The page. */
export function ServicesPage(): JSX.Element {
  const data = overview.value
  const error = overviewError.value
  return (
    <div class="stack">
      <PageHead title="Services" about="Choose one to see its operations, instances and charts." />
      {error && <Failed error={error} />}
      <Panel title="Services" isBare>
        {data ? <ServicesTable services={data.services} foreign={data.foreign} /> : !error && <Waiting />}
      </Panel>
    </div>
  )
}
