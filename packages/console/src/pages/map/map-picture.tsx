/**
 * The map as a picture: nodes by kind and health, edges as thick as they are busy.
 *
 * @module
 */
import type { MapEdge, MapNode } from '@flotilla/control/shapes'
import type { JSX } from 'preact'
import { short } from '../../format/figures.ts'
import { Shape } from '../../parts/marks.tsx'
import { errorTone, redInWords } from '../red.ts'
import {
  type Box,
  curveOf,
  edgeId,
  type Layout,
  NODE_HEIGHT,
  NODE_WIDTH,
  type Point,
  thicknessOf,
} from './layout.ts'
import { readyInWords } from './map-list.tsx'

/** From this many attempts a call on, retries are worth a word. */
const AMPLIFICATION_SHOWN = 1.05

const LINE_HEIGHT = 12

/** What the picture shows. */
export interface MapPictureProps {
  readonly layout: Layout
  readonly nodes: readonly MapNode[]
  readonly edges: readonly MapEdge[]
  /** The node whose edges stand out. */
  readonly selected: string | undefined
  readonly hasLabels: boolean
  readonly onSelect: (id: string) => void
}

/** Frames, edges, nodes, labels: in this order, so that nothing hides a word. */
export function MapPicture({
  layout,
  nodes,
  edges,
  selected,
  hasLabels,
  onSelect,
}: MapPictureProps): JSX.Element {
  const isNear = ({ from, to }: MapEdge): boolean =>
    selected === undefined || from === selected || to === selected
  const drawn = edges.flatMap((edge) => {
    const line = layout.edges.get(edgeId(edge))
    return line ? [{ edge, line }] : []
  })
  return (
    <>
      {[...layout.frames].map(([host, box]) => (
        <Frame key={host} host={host} box={box} />
      ))}
      {drawn.map(({ edge, line }) => (
        <path
          key={edgeId(edge)}
          d={curveOf(line.points)}
          class={`map-edge ${edge.kind} ${errorTone(edge.errorShare) ?? ''} ${isNear(edge) ? '' : 'is-far'}`}
          stroke-width={thicknessOf(edge.rate)}
          marker-end="url(#arrow)"
        />
      ))}
      {nodes.map((node) => (
        <NodeBox
          key={node.id}
          node={node}
          box={layout.nodes.get(node.id)}
          isSelected={node.id === selected}
          onSelect={onSelect}
        />
      ))}
      {drawn
        .filter(({ edge }) => isLabelled(edge, selected, hasLabels))
        .map(({ edge, line }) => (
          <EdgeLabel key={edgeId(edge)} edge={edge} at={line.label} />
        ))}
    </>
  )
}

/** Trouble is always told; the rest when it was asked for, or is at the node that was chosen. */
function isLabelled(edge: MapEdge, selected: string | undefined, hasLabels: boolean): boolean {
  if (selected !== undefined && edge.from !== selected && edge.to !== selected) return false
  if (edge.errorShare > 0 || edge.amplification > AMPLIFICATION_SHOWN) return true
  return (
    (hasLabels || selected !== undefined) &&
    edge.rate > 0 &&
    (edge.kind === 'call' || edge.kind === 'request')
  )
}

function Frame({ host, box }: { readonly host: string; readonly box: Box }): JSX.Element {
  const [left, top] = [box.x - box.width / 2, box.y - box.height / 2]
  return (
    <g>
      <rect class="map-frame" x={left} y={top} width={box.width} height={box.height} rx="8" />
      <text class="map-frame-name" x={left + 10} y={top + 14}>
        process {host}
      </text>
    </g>
  )
}

function NodeBox({
  node,
  box,
  isSelected,
  onSelect,
}: {
  readonly node: MapNode
  readonly box: Box | undefined
  readonly isSelected: boolean
  readonly onSelect: (id: string) => void
}): JSX.Element | null {
  if (!box) return null
  const [left, top] = [box.x - NODE_WIDTH / 2, box.y - NODE_HEIGHT / 2]
  const ready = readyInWords(node)
  return (
    // The list beside the picture is the way for keyboards.
    // biome-ignore lint/a11y/noStaticElementInteractions: see above
    <g
      class={`map-node ${node.kind} ${node.health} ${isSelected ? 'is-selected' : ''}`}
      transform={`translate(${left} ${top})`}
      onClick={() => onSelect(node.id)}
    >
      <title>{`${node.name}: ${node.health}`}</title>
      <rect width={NODE_WIDTH} height={NODE_HEIGHT} rx={RADIUS[node.kind] ?? 4} />
      <Shape tone={node.health} x={10} y={8} />
      <text x={28} y={18} class="map-name">
        {clipped(node.name, 17)}
      </text>
      <text x={28} y={34} class="map-note">
        {ready === undefined ? node.kind : `${node.kind} · ${ready}`}
      </text>
    </g>
  )
}

const RADIUS: Readonly<Record<string, number>> = { client: 22, outside: 22, topic: 12, database: 8 }

function clipped(text: string, charsMax: number): string {
  return text.length > charsMax ? `${text.slice(0, charsMax - 1)}…` : text
}

/** Rate, duration and trouble below each other: short lines hide little. */
function EdgeLabel({ edge, at }: { readonly edge: MapEdge; readonly at: Point }): JSX.Element {
  const lines = redInWords(edge).split(' · ')
  const isRetried = edge.amplification > AMPLIFICATION_SHOWN
  if (isRetried) lines.push(`×${short(edge.amplification)} attempts`)
  const top = at.y - ((lines.length - 1) * LINE_HEIGHT) / 2 + 4
  return (
    <text class={`map-label ${errorTone(edge.errorShare) ?? (isRetried ? 'warning' : '')}`}>
      {lines.map((line, index) => (
        <tspan key={line} x={at.x} y={top + index * LINE_HEIGHT}>
          {line}
        </tspan>
      ))}
    </text>
  )
}
