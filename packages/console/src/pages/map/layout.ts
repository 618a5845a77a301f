/**
 * Where the nodes of the map stand: in layers from left to right, as requests go. Nodes that share a process have a frame around them. The
 * layout depends on nothing but which nodes, edges and frames there are, so that the picture stays still while figures change.
 *
 * @module
 */
import type { MapEdge, MapNode } from '@flotilla/control/shapes'

/** Width and height of a node, in units of the picture. */
export const NODE_WIDTH = 148
/** See above. */
export const NODE_HEIGHT = 44

/** A rectangle by its centre. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A layout. */
export interface Layout {
  readonly width: number
  readonly height: number
  /** By node. */
  readonly nodes: ReadonlyMap<string, Box>
  /** By edge (`edgeId`): the points its line goes through. */
  readonly edges: ReadonlyMap<string, readonly { readonly x: number; readonly y: number }[]>
  /** By process. */
  readonly frames: ReadonlyMap<string, Box>
}

/** The layout library, loaded with the map. */
export type LayoutLibrary = typeof import('@dagrejs/dagre')

/** Names an edge. */
export function edgeId({ from, to, kind }: Pick<MapEdge, 'from' | 'to' | 'kind'>): string {
  return `${from}>${to}:${kind}`
}

/** The process that frames a node: services alone are framed, and where a process runs several. */
export function framesOf(nodes: readonly MapNode[]): ReadonlyMap<string, string> {
  const services = nodes.filter(({ kind }) => kind === 'service' || kind === 'gateway')
  const byHost = new Map<string, MapNode[]>()
  for (const node of services) {
    const host = node.hosts[0]
    if (host !== undefined) byHost.set(host, [...(byHost.get(host) ?? []), node])
  }
  return new Map(
    [...byHost]
      .filter(([, its]) => its.length > 1)
      .flatMap(([host, its]) => its.map(({ id }) => [id, host] as const)),
  )
}

/** What the layout depends on. Equal shapes have equal layouts. */
export function shapeOf(nodes: readonly MapNode[], edges: readonly MapEdge[]): string {
  const frames = framesOf(nodes)
  return JSON.stringify([nodes.map(({ id }) => [id, frames.get(id) ?? '']).sort(), edges.map(edgeId).sort()])
}

/** Lays out. Edges to nodes that are not there are left out. */
export function layoutOf(
  { Graph, layout }: LayoutLibrary,
  nodes: readonly MapNode[],
  edges: readonly MapEdge[],
): Layout {
  const graph = new Graph({ directed: true, compound: true, multigraph: true })
  graph.setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 96, edgesep: 8, marginx: 16, marginy: 16 })
  graph.setDefaultEdgeLabel(() => ({}))
  const frames = framesOf(nodes)
  for (const host of [...new Set(frames.values())].sort()) graph.setNode(`process ${host}`, {})
  for (const { id } of nodes.toSorted(byId)) {
    graph.setNode(id, { width: NODE_WIDTH, height: NODE_HEIGHT })
    const host = frames.get(id)
    if (host !== undefined) graph.setParent(id, `process ${host}`)
  }
  const drawn = edges.filter(({ from, to }) => from !== to && graph.hasNode(from) && graph.hasNode(to))
  for (const edge of drawn.toSorted((a, b) => compare(edgeId(a), edgeId(b)))) {
    graph.setEdge(edge.from, edge.to, { weight: edge.kind === 'sql' ? 4 : 1 }, edge.kind)
  }
  layout(graph)
  const boxOf = (id: string): Box => {
    const { x = 0, y = 0, width = 0, height = 0 } = graph.node(id) as Partial<Box>
    return { x, y, width, height }
  }
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  return {
    width,
    height,
    nodes: new Map(nodes.map(({ id }) => [id, boxOf(id)])),
    edges: new Map(
      drawn.map((edge) => {
        const { points = [] } = graph.edge(edge.from, edge.to, edge.kind) as {
          points?: { x: number; y: number }[]
        }
        return [edgeId(edge), points]
      }),
    ),
    frames: new Map([...new Set(frames.values())].map((host) => [host, boxOf(`process ${host}`)])),
  }
}

function byId(a: MapNode, b: MapNode): number {
  return compare(a.id, b.id)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** A smooth line through points, as an SVG path. */
export function curveOf(points: readonly { readonly x: number; readonly y: number }[]): string {
  const [first, ...rest] = points
  if (!first) return ''
  const at = ({ x, y }: { readonly x: number; readonly y: number }): string =>
    `${x.toFixed(1)} ${y.toFixed(1)}`
  const last = rest.at(-1)
  if (!last) return ''
  const bends = rest.slice(0, -1).map((point, index) => {
    const next = rest[index + 1] ?? last
    const end = index === rest.length - 2 ? next : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 }
    return `Q${at(point)} ${at(end)}`
  })
  return `M${at(first)}${bends.join('') || `L${at(last)}`}`
}

/** How thick an edge is, in units of the picture: by the logarithm of its rate, from 1 to 6. */
export function thicknessOf(perSecond: number): number {
  return Math.min(6, 1 + Math.log10(1 + Math.max(0, perSecond)) * 1.6)
}
