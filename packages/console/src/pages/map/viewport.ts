/**
 * The part of the map that is seen: moved and magnified, never so far that nothing is left.
 *
 * @module
 */

/** The part: its upper left corner and its extent, in units of the picture. */
export interface View {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Everything at once. */
export function wholeView(width: number, height: number): View {
  return { x: 0, y: 0, width: Math.max(1, width), height: Math.max(1, height) }
}

/** Pixels for each unit below which names cannot be read, and those at which they are read well. */
const LEGIBLE_SCALE = 0.5
const READABLE_SCALE = 0.7

/**
 * What is seen first in a window of so many pixels: everything, or where that could not be read, what is around a point; without an
 * `x`, where the picture begins.
 */
export function firstView(
  whole: View,
  windowPx: { readonly width: number; readonly height: number },
  around: { readonly x?: number; readonly y: number },
): View {
  const scale = Math.min(windowPx.width / whole.width, windowPx.height / whole.height)
  if (scale >= LEGIBLE_SCALE || !(windowPx.width > 0 && windowPx.height > 0)) return whole
  const [width, height] = [windowPx.width / READABLE_SCALE, windowPx.height / READABLE_SCALE]
  return within({ x: (around.x ?? width / 2) - width / 2, y: around.y - height / 2, width, height }, whole)
}

/** Magnified by `factor` around a point, which stays where it is; at most 6 times, at least half. */
export function zoomed(
  view: View,
  factor: number,
  at: { readonly x: number; readonly y: number },
  whole: View,
): View {
  const widest = whole.width * 2
  const width = Math.min(widest, Math.max(whole.width / 6, view.width / factor))
  const scale = width / view.width
  return within(
    {
      x: at.x - (at.x - view.x) * scale,
      y: at.y - (at.y - view.y) * scale,
      width,
      height: view.height * scale,
    },
    whole,
  )
}

/** Moved; its middle stays in the picture. */
export function moved(view: View, byX: number, byY: number, whole: View): View {
  return within({ ...view, x: view.x + byX, y: view.y + byY }, whole)
}

function within(view: View, whole: View): View {
  const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value))
  return {
    ...view,
    x: clamp(view.x, whole.x - view.width / 2, whole.x + whole.width - view.width / 2),
    y: clamp(view.y, whole.y - view.height / 2, whole.y + whole.height - view.height / 2),
  }
}
