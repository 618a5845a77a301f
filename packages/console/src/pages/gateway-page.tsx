/**
 * The gateway: its routes with their policies and figures, and the answers it keeps.
 *
 * @module
 */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { duration, share } from '../format/figures.ts'
import { DataTable } from '../parts/data-table.tsx'
import { ActButton, formValues, TextField } from '../parts/inputs.tsx'
import { PageHead, Panel, Tags } from '../parts/panel.tsx'
import { Answer, Empty } from '../parts/states.tsx'
import { type Api, ask } from '../state/api.ts'
import { useAsked } from '../state/asked.ts'
import { hrefTo, place, rangeMs, setParams } from '../state/place.ts'
import { errorsCell } from './errors-cell.tsx'
import { redColumns } from './red.ts'

type Route = Api['observe.routes']['output']['items'][number]

/** The page. */
export function GatewayPage(): JSX.Element {
  const asked = useAsked('observe.routes', { windowMs: rangeMs.value })
  const { find = '' } = place.value.params
  return (
    <div class="stack">
      <PageHead title="Gateway" about="Where requests from outside come in, and what is done with them.">
        <a class="button" href={hrefTo('/services/gateway')}>
          As a service
        </a>
      </PageHead>
      <Panel
        title="Kept answers"
        side={<span class="muted small">answers that the gateway gives again without asking a service</span>}
      >
        <Purge />
      </Panel>
      <form class="form" onSubmit={(event) => setParams(formValues(event))}>
        <TextField name="find" label="Path, operation or policy" value={find} kind="wide" />
        <button type="submit" class="button primary">
          Find
        </button>
      </form>
      <Panel title="Routes" isBare>
        <Answer asked={asked}>
          {({ items }) => <Routes routes={items.filter((route) => has(route, find))} />}
        </Answer>
      </Panel>
    </div>
  )
}

function has({ method, path, target, policies }: Route, text: string): boolean {
  return `${method} ${path} ${target} ${policies.join(' ')}`.toLowerCase().includes(text.toLowerCase())
}

function Routes({ routes }: { readonly routes: readonly Route[] }): JSX.Element {
  return (
    <DataTable
      caption="Routes of the gateway"
      rows={routes}
      keyOf={({ method, path }) => `${method} ${path}`}
      orderParam="order"
      empty={<Empty title="No route">Nothing matches: clear the field above.</Empty>}
      columns={[
        {
          title: 'route',
          as: 'head',
          by: ({ path }) => path,
          cell: ({ method, path, target }) => (
            <>
              <span class="mono">
                {method} {path}
              </span>
              <div class="muted small">
                <a href={hrefTo('/traces', { name: target })}>{target}</a>
              </div>
            </>
          ),
        },
        ...redColumns<Route>(errorsCell),
        {
          title: 'kept',
          as: 'number',
          by: ({ hitShare }) => hitShare ?? -1,
          cell: ({ hitShare }) => share(hitShare),
        },
        {
          title: 'time limit',
          as: 'number',
          by: ({ timeoutMs }) => timeoutMs,
          cell: ({ timeoutMs }) => duration(timeoutMs),
        },
        { title: 'access', as: 'clip', cell: ({ access }) => access },
        { title: 'policies', cell: ({ policies }) => <Tags items={policies} /> },
      ]}
    />
  )
}

function Purge(): JSX.Element {
  const [tag, setTag] = useState('')
  const what = tag.trim()
  return (
    <div class="form">
      <label class="field wide">
        Tag of what changed; empty: everything
        <input
          class="input"
          value={tag}
          placeholder="product:42"
          onInput={(event) => setTag(event.currentTarget.value)}
        />
      </label>
      <ActButton
        isSmall={false}
        act={() => ({
          title: what === '' ? 'Forget all kept answers?' : `Forget kept answers tagged ${what}?`,
          detail: `Every gateway forgets ${
            what === '' ? 'every answer it keeps' : `the answers that tell of ${what}`
          }. The next requests go to the services, which have more to do for a while.`,
          verb: 'Forget',
          run: async () => {
            await ask('control.call', {
              operation: 'gateway.purgeCache',
              input: { tags: what === '' ? [] : [what], operations: [], isEverything: what === '' },
            })
            return what === '' ? 'All kept answers were forgotten.' : `Answers tagged ${what} were forgotten.`
          },
        })}
      >
        Forget
      </ActButton>
    </div>
  )
}
