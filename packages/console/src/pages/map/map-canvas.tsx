/**
 * The window onto the map: dragging moves it, the wheel with Ctrl and the buttons magnify it.
 *
 * @module
 */
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { MapPicture, type MapPictureProps } from './map-picture.tsx'
import { firstView, moved, type View, wholeView, zoomed } from './viewport.ts'

/** Moving less than so many pixels is a click. */
const CLICK_PX = 4

/** The window. */
export function MapCanvas(props: MapPictureProps): JSX.Element {
  const { layout } = props
  const whole = wholeView(layout.width, layout.height)
  const [view, setView] = useState<View>(whole)
  const svg = useRef<SVGSVGElement>(null)
  // Dependencies: none, for a map of another shape is another component; what is seen is the person's from then on.
  useLayoutEffect(() => {
    const { clientWidth = 0, clientHeight = 0 } = svg.current ?? {}
    const middle = layout.nodes.get('gateway')?.y ?? whole.height / 2
    const around = layout.nodes.get(props.selected ?? '') ?? { y: middle }
    setView(firstView(whole, { width: clientWidth, height: clientHeight }, around))
  }, [])
  const drag = useDrag(svg, view, whole, setView)
  useWheel(svg, whole, setView)
  const zoom = (factor: number): void =>
    setView((before) =>
      zoomed(before, factor, { x: before.x + before.width / 2, y: before.y + before.height / 2 }, whole),
    )
  return (
    <div class="panel">
      <div class="map-buttons">
        <button type="button" class="button small" onClick={() => zoom(1.4)} aria-label="Magnify">
          +
        </button>
        <button type="button" class="button small" onClick={() => zoom(1 / 1.4)} aria-label="Make smaller">
          −
        </button>
        <button type="button" class="button small" onClick={() => setView(whole)}>
          Whole
        </button>
      </div>
      <svg
        ref={svg}
        class="map-svg"
        viewBox={`${view.x} ${view.y} ${view.width} ${view.height}`}
        role="img"
        aria-label={`Map of ${props.nodes.length} nodes and ${props.edges.length} ways between them. The list says the same in words.`}
        {...drag}
      >
        <defs>
          <marker
            id="arrow"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="9"
            markerHeight="9"
            markerUnits="userSpaceOnUse"
            orient="auto"
          >
            <path d="M0 0 8 4 0 8z" fill="var(--line-strong)" />
          </marker>
        </defs>
        <MapPicture {...props} />
      </svg>
    </div>
  )
}

interface PointerProps {
  readonly onPointerDown: (event: PointerEvent) => void
  readonly onPointerMove: (event: PointerEvent) => void
  readonly onPointerUp: () => void
  readonly onClickCapture: (event: Event) => void
}

function useDrag(
  svg: { readonly current: SVGSVGElement | null },
  view: View,
  whole: View,
  setView: (view: View) => void,
): PointerProps {
  const start = useRef<{ readonly x: number; readonly y: number; readonly view: View } | undefined>(undefined)
  const isMoved = useRef(false)
  return {
    onPointerDown: ({ clientX: x, clientY: y }) => {
      start.current = { x, y, view }
      isMoved.current = false
    },
    onPointerMove: ({ clientX, clientY, buttons }) => {
      const from = start.current
      if (!from || buttons === 0 || !svg.current) return
      const [byX, byY] = [from.x - clientX, from.y - clientY]
      if (Math.hypot(byX, byY) < CLICK_PX) return
      isMoved.current = true
      const perPixel = 1 / scaleOf(svg.current, from.view)
      setView(moved(from.view, byX * perPixel, byY * perPixel, whole))
    },
    onPointerUp: () => {
      start.current = undefined
    },
    onClickCapture: (event) => {
      if (isMoved.current) event.stopPropagation()
    },
  }
}

/** The wheel alone scrolls the page, as everywhere. Not passive: the browser would magnify the page. */
function useWheel(
  svg: { readonly current: SVGSVGElement | null },
  whole: View,
  setView: (change: (before: View) => View) => void,
): void {
  // Dependencies: a map of another size is another component
  useEffect(() => {
    const element = svg.current
    if (!element) return undefined
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return
      event.preventDefault()
      const { left, top } = element.getBoundingClientRect()
      setView((before) => {
        const perPixel = 1 / scaleOf(element, before)
        const at = {
          x: before.x + (event.clientX - left) * perPixel,
          y: before.y + (event.clientY - top) * perPixel,
        }
        return zoomed(before, event.deltaY < 0 ? 1.2 : 1 / 1.2, at, whole)
      })
    }
    element.addEventListener('wheel', onWheel, { passive: false })
    return () => element.removeEventListener('wheel', onWheel)
  }, [])
}

/** Pixels for each unit of the picture. */
function scaleOf(svg: SVGSVGElement, view: View): number {
  return Math.min(svg.clientWidth / view.width, svg.clientHeight / view.height) || 1
}
