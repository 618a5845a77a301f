/**
 * Where the nodes of the map stand: in layers from left to right, as requests go. Nodes that share a process have a frame around them. The
 * layout depends on nothing but which nodes, edges and frames there are, so that the picture stays still while figures change.
 *
 * Topics stand to the right of all that has to do with them, as databases do: an event's way to who follows it would otherwise put whole
 * services behind those that they do not wait for, and the picture would be twice as wide.
 *
 * @module
 */
import type { MapEdge, MapNode } from '@flotilla/control/shapes'

/** Width and height of a node, in units of the picture. */
export const NODE_WIDTH = 172
/** See above. */
export const NODE_HEIGHT = 44

/** Room for what is written at an edge: three short lines. */
const LABEL = { width: 84, height: 36, labelpos: 'c' } as const

/** A rectangle by its centre. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A place. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** The line of an edge, and where there is room to write at it. */
export interface EdgeLine {
  readonly points: readonly Point[]
  readonly label: Point
}

/** A layout. */
export interface Layout {
  readonly width: number
  readonly height: number
  /** By node. */
  readonly nodes: ReadonlyMap<string, Box>
  /** By edge (`edgeId`). */
  readonly edges: ReadonlyMap<string, EdgeLine>
  /** By process. */
  readonly frames: ReadonlyMap<string, Box>
}

/** The layout library, loaded with the map. */
export type LayoutLibrary = Pick<typeof import('@dagrejs/dagre'), 'Graph' | 'layout'>

type Graph = InstanceType<LayoutLibrary['Graph']>

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
  const shared = [...byHost].filter(([, its]) => its.length > 1)
  return new Map(shared.flatMap(([host, its]) => its.map(({ id }) => [id, host] as const)))
}

/** What the layout depends on. Equal shapes have equal layouts. */
export function shapeOf(nodes: readonly MapNode[], edges: readonly MapEdge[]): string {
  const frames = framesOf(nodes)
  return JSON.stringify([
    nodes.map(({ id, kind }) => [id, kind, frames.get(id) ?? '']).sort(),
    edges.map(edgeId).sort(),
  ])
}

/** Lays out. Edges to nodes that are not there are left out. */
export function layoutOf(
  { Graph, layout }: LayoutLibrary,
  nodes: readonly MapNode[],
  edges: readonly MapEdge[],
): Layout {
  const graph = new Graph({ directed: true, compound: true, multigraph: true })
  graph.setGraph({ rankdir: 'LR', nodesep: 12, ranksep: 28, edgesep: 6, marginx: 16, marginy: 16 })
  const frames = framesOf(nodes)
  const hosts = [...new Set(frames.values())].sort()
  for (const host of hosts) graph.setNode(frameId(host), {})
  for (const { id } of nodes.toSorted((a, b) => compare(a.id, b.id))) {
    graph.setNode(id, { width: NODE_WIDTH, height: NODE_HEIGHT })
    const host = frames.get(id)
    if (host !== undefined) graph.setParent(id, frameId(host))
  }
  const topics = new Set(nodes.filter(({ kind }) => kind === 'topic').map(({ id }) => id))
  const drawn = edges.filter(({ from, to }) => from !== to && graph.hasNode(from) && graph.hasNode(to))
  for (const edge of drawn.toSorted((a, b) => compare(edgeId(a), edgeId(b)))) {
    const [left, right] = topics.has(edge.from) ? [edge.to, edge.from] : [edge.from, edge.to]
    const label = edge.kind === 'call' || edge.kind === 'request' ? LABEL : {}
    graph.setEdge(left, right, { ...label, weight: edge.kind === 'sql' ? 4 : 1 }, edgeId(edge))
  }
  layout(graph)
  return {
    ...extentOf(graph),
    nodes: new Map(nodes.map(({ id }) => [id, boxOf(graph, id)])),
    edges: new Map(drawn.map((edge) => [edgeId(edge), lineOf(graph, edge, topics.has(edge.from))])),
    frames: new Map(hosts.map((host) => [host, boxOf(graph, frameId(host))])),
  }
}

function frameId(host: string): string {
  return `process ${host}`
}

function extentOf(graph: Graph): { readonly width: number; readonly height: number } {
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  return { width, height }
}

function boxOf(graph: Graph, id: string): Box {
  const { x = 0, y = 0, width = 0, height = 0 } = graph.node(id) as Partial<Box>
  return { x, y, width, height }
}

function lineOf(graph: Graph, edge: MapEdge, isReversed: boolean): EdgeLine {
  const [left, right] = isReversed ? [edge.to, edge.from] : [edge.from, edge.to]
  const laid = graph.edge(left, right, edgeId(edge)) as Partial<Point> & {
    readonly points?: readonly Point[]
  }
  const points = isReversed ? (laid.points ?? []).toReversed() : (laid.points ?? [])
  const middle = points[Math.floor(points.length / 2)] ?? { x: 0, y: 0 }
  return { points, label: { x: laid.x ?? middle.x, y: laid.y ?? middle.y } }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** A smooth line through points, as an SVG path. */
export function curveOf(points: readonly Point[]): string {
  const [first, ...rest] = points
  const last = rest.at(-1)
  if (!first || !last) return ''
  const at = ({ x, y }: Point): string => `${x.toFixed(1)} ${y.toFixed(1)}`
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
