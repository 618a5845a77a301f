/**
 * The map of the running system: who talks to whom, how much, how well. The list says the same in words.
 *
 * @module
 */
import type { MapEdge, MapNode } from '@flotilla/control/shapes'
import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { Choice } from '../../parts/inputs.tsx'
import { PageHead } from '../../parts/panel.tsx'
import { Answer, Empty, Waiting } from '../../parts/states.tsx'
import { useAsked } from '../../state/asked.ts'
import { place, rangeMs, setParams } from '../../state/place.ts'
import { type LayoutLibrary, layoutOf, shapeOf } from './layout.ts'
import { MapCanvas } from './map-canvas.tsx'
import { MapList, NodePanel } from './map-list.tsx'

interface Graph {
  readonly nodes: readonly MapNode[]
  readonly edges: readonly MapEdge[]
}

const KINDS = [
  ['all', 'Everything'],
  ['calls', 'Calls'],
  ['events', 'Events'],
] as const

/** The page. */
export function MapPage(): JSX.Element {
  const asked = useAsked('observe.map', { windowMs: rangeMs.value })
  const { show = 'all', view = 'picture', labels = 'on' } = place.value.params
  return (
    <div class="stack">
      <PageHead
        title="Map"
        about="Who talks to whom: the thicker, the busier. Choose a node to see its ways."
      >
        <Choice
          label="What is shown"
          options={KINDS}
          value={show}
          onChoose={(value) => setParams({ show: value === 'all' ? '' : value })}
        />
        <Choice
          label="Labels"
          options={[
            ['on', 'Labels'],
            ['off', 'Troubles only'],
          ]}
          value={labels}
          onChoose={(value) => setParams({ labels: value === 'on' ? '' : value })}
        />
        <Choice
          label="View"
          options={[
            ['picture', 'Picture'],
            ['list', 'List'],
          ]}
          value={view}
          onChoose={(value) => setParams({ view: value === 'picture' ? '' : value })}
        />
      </PageHead>
      <Answer asked={asked}>
        {(data) => (
          <MapOf graph={chosenPart(data, show)} isList={view === 'list'} hasLabels={labels === 'on'} />
        )}
      </Answer>
    </div>
  )
}

/** Without databases and topics, or nothing but topics and who has to do with them. */
function chosenPart({ nodes, edges }: Graph, show: string): Graph {
  if (show === 'all') return { nodes, edges }
  const isShown = (kind: MapEdge['kind']): boolean =>
    show === 'calls' ? kind === 'call' || kind === 'request' : kind === 'event'
  const ways = edges.filter(({ kind }) => isShown(kind))
  const ends = new Set(ways.flatMap(({ from, to }) => [from, to]))
  return { nodes: nodes.filter(({ id }) => ends.has(id)), edges: ways }
}

function MapOf({
  graph,
  isList,
  hasLabels,
}: {
  readonly graph: Graph
  readonly isList: boolean
  readonly hasLabels: boolean
}): JSX.Element {
  const { nodes, edges } = graph
  const library = useLayoutLibrary()
  const shape = shapeOf(nodes, edges)
  // Dependencies: the shape stands for nodes and edges
  const layout = useMemo(() => library && layoutOf(library, nodes, edges), [library, shape])
  const selected = nodes.find(({ id }) => id === place.value.params['node'])
  if (nodes.length === 0)
    return <Empty title="Nothing was called yet">Use the system a little, then look again.</Empty>
  const select = (id: string): void => setParams({ node: id === selected?.id ? undefined : id })
  if (isList) return <MapList nodes={nodes} edges={edges} />
  return (
    <div class={`map-and-panel ${selected ? 'has-panel' : ''}`}>
      {layout ? (
        <MapCanvas
          key={shape}
          layout={layout}
          nodes={nodes}
          edges={edges}
          selected={selected?.id}
          hasLabels={hasLabels}
          onSelect={select}
        />
      ) : (
        <Waiting />
      )}
      {selected && (
        <NodePanel
          node={selected}
          nodes={nodes}
          edges={edges}
          onClose={() => setParams({ node: undefined })}
        />
      )}
    </div>
  )
}

function useLayoutLibrary(): LayoutLibrary | undefined {
  const [library, setLibrary] = useState<LayoutLibrary>()
  useEffect(() => {
    import('@dagrejs/dagre').then(setLibrary, () => setParams({ view: 'list' }))
  }, [])
  return library
}
