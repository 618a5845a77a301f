/**
 * The map in words: every node with its ways, and one node beside the picture.
 *
 * @module
 */
import type { MapEdge, MapNode } from '@flotilla/control/shapes'
import type { JSX } from 'preact'
import { duration, rate, short } from '../../format/figures.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { Mark } from '../../parts/marks.tsx'
import { Facts, Panel } from '../../parts/panel.tsx'
import { Empty } from '../../parts/states.tsx'
import { hrefTo } from '../../state/place.ts'
import { errorsCell } from '../errors-cell.tsx'
import { redInWords } from '../red.ts'
import { edgeId } from './layout.ts'

/** Nodes and ways as tables. */
export function MapList({
  nodes,
  edges,
}: {
  readonly nodes: readonly MapNode[]
  readonly edges: readonly MapEdge[]
}): JSX.Element {
  return (
    <>
      <Panel title="Nodes" isBare>
        <DataTable
          caption="Nodes of the map"
          rows={nodes}
          keyOf={({ id }) => id}
          orderParam="nodes"
          columns={[
            { title: 'name', as: 'head', by: ({ name }) => name, cell: (node) => <NodeName node={node} /> },
            { title: 'kind', by: ({ kind }) => kind, cell: ({ kind }) => kind },
            {
              title: 'health',
              by: ({ health }) => health,
              as: 'nowrap',
              cell: ({ health }) => <Mark tone={health} />,
            },
            {
              title: 'ready',
              as: 'number',
              cell: (node) => readyInWords(node) ?? '–',
            },
            { title: 'processes', as: 'clip', cell: ({ hosts }) => hosts.join(', ') || '–' },
          ]}
        />
      </Panel>
      <Panel title="Ways" isBare>
        <EdgeTable edges={edges} nodes={nodes} />
      </Panel>
    </>
  )
}

function NodeName({ node }: { readonly node: MapNode }): JSX.Element {
  const href = hrefOfNode(node)
  return href === undefined ? <span>{node.name}</span> : <a href={href}>{node.name}</a>
}

/** The page that tells more of a node; undefined where there is none. */
function hrefOfNode({ kind, name, hosts }: MapNode): string | undefined {
  // What stands for the outside world runs here, too.
  if (kind === 'service' || kind === 'gateway' || (kind === 'outside' && hosts.length > 0))
    return hrefTo(`/services/${name}`)
  if (kind === 'topic') return hrefTo('/events', { topic: name })
  return kind === 'database' ? hrefTo('/infrastructure') : undefined
}

/** What a node is called, with its kind where it has the name of a service; its id where the node is not there. */
function nodeName(id: string, nodes: readonly MapNode[]): string {
  const node = nodes.find((one) => one.id === id)
  if (!node) return id
  return /^(?:database|topic)$/.test(node.kind) ? `${node.name} (${node.kind})` : node.name
}

/** `1 of 2`; undefined for what has no instances of its own. */
export function readyInWords({ hosts, ready, wanted }: MapNode): string | undefined {
  return hosts.length > 0 ? `${ready} of ${wanted}` : undefined
}

/** Ways with their figures. */
export function EdgeTable({
  edges,
  nodes = [],
}: {
  readonly edges: readonly MapEdge[]
  readonly nodes?: readonly MapNode[]
}): JSX.Element {
  const nameOf = (id: string): string => nodeName(id, nodes)
  return (
    <DataTable
      caption="Ways between nodes"
      rows={edges}
      keyOf={edgeId}
      orderParam="ways"
      empty={<Empty title="No calls">Nothing was called in this time.</Empty>}
      columns={[
        { title: 'from', as: 'head', by: ({ from }) => from, cell: ({ from }) => nameOf(from) },
        { title: 'to', by: ({ to }) => to, cell: ({ to }) => nameOf(to) },
        { title: 'kind', by: ({ kind }) => kind, cell: ({ kind }) => kind },
        { title: 'rate', as: 'number', by: (edge) => edge.rate, cell: (edge) => rate(edge.rate) },
        {
          title: 'errors',
          as: 'number',
          by: ({ errorShare }) => errorShare,
          cell: (edge) => errorsCell({ ...edge, p50Ms: 0, p99Ms: 0 }),
        },
        {
          title: 'p95',
          as: 'number',
          by: ({ p95Ms }) => p95Ms,
          cell: ({ p95Ms }) => (p95Ms > 0 ? duration(p95Ms) : '–'),
        },
        {
          title: 'attempts',
          as: 'number',
          by: ({ amplification }) => amplification,
          cell: ({ amplification }) =>
            amplification > 1.05 ? (
              <Mark tone="warning" word={`×${short(amplification)}`} />
            ) : (
              short(amplification)
            ),
        },
      ]}
    />
  )
}

/** One node beside the picture. */
export function NodePanel({
  node,
  nodes,
  edges,
  onClose,
}: {
  readonly node: MapNode
  readonly nodes: readonly MapNode[]
  readonly edges: readonly MapEdge[]
  readonly onClose: () => void
}): JSX.Element {
  const href = hrefOfNode(node)
  return (
    <Panel
      title={node.name}
      side={
        <button type="button" class="button small" onClick={onClose}>
          Close
        </button>
      }
    >
      <div class="stack">
        <Facts
          items={[
            ['kind', node.kind],
            ['health', <Mark key="health" tone={node.health} />],
            ['ready', readyInWords(node)],
            ['processes', node.hosts.join(', ')],
          ]}
        />
        {href !== undefined && (
          <a class="button" href={href}>
            Open {node.name}
          </a>
        )}
        <Ways title="Comes from" nodes={nodes} edges={edges.filter(({ to }) => to === node.id)} end="from" />
        <Ways title="Goes to" nodes={nodes} edges={edges.filter(({ from }) => from === node.id)} end="to" />
      </div>
    </Panel>
  )
}

function Ways({
  title,
  nodes,
  edges,
  end,
}: {
  readonly title: string
  readonly nodes: readonly MapNode[]
  readonly edges: readonly MapEdge[]
  readonly end: 'from' | 'to'
}): JSX.Element | null {
  if (edges.length === 0) return null
  return (
    <div>
      <h3>{title}</h3>
      <ul>
        {edges.map((edge) => (
          <li key={edgeId(edge)} class="row spread">
            <a href={hrefTo('/map', { node: edge[end] })}>{nodeName(edge[end], nodes)}</a>
            <span class="muted small">{redInWords(edge)}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}
