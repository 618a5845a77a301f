/**
 * Where the person is, the time they look at, and the ticking that has everything asked again.
 *
 * @module
 */
import { computed, effect, signal } from '@preact/signals'
import { address, every, isVisible, nowMs, onHistory, onVisibility, setAddress } from '../browser/browser.ts'
import {
  type Changes,
  changed,
  elsewhere,
  hrefOf,
  momentsOf,
  type Place,
  parsePlace,
  parseRange,
  parseRefreshS,
  rangeBetween,
} from './address.ts'

const read = (): Place => {
  const { path, search } = address()
  return parsePlace(path, search)
}

/** The address line. Set by the functions below only. */
export const place = signal<Place>({ path: '/', params: {} })

/** The present, as of the last tick: what relative ranges end at. */
export const presentMs = signal(0)

/** Moments between which is looked. */
export const range = computed(() => momentsOf(parseRange(place.value.params['range']), presentMs.value))

/** Length of the range. */
export const rangeMs = computed(() => range.value.toMs - range.value.fromMs)

/** Seconds between ticks; 0 where there are none. A range between two moments does not move, and is not asked again. */
export const refreshS = computed(() => parseRefreshS(place.value.params['refresh']))

/** Has everything asked again now. */
export function tick(): void {
  presentMs.value = nowMs()
}

/** Begins to follow the address line and the clock. To be called once. */
export function startPlace(): void {
  place.value = read()
  tick()
  onHistory(() => {
    place.value = read()
  })
  onVisibility(() => {
    if (isVisible() && refreshS.value > 0) tick()
  })
  effect(() => {
    if (refreshS.value === 0) return undefined
    return every(refreshS.value * 1_000, () => {
      if (isVisible()) tick()
    })
  })
}

/** The address of a page, with the time looked at kept. */
export function hrefTo(path: string, params?: Changes): string {
  return hrefOf(elsewhere(place.value, path, params))
}

/** The address of this page in another state. */
export function hrefWith(changes: Changes): string {
  return hrefOf(changed(place.value, changes))
}

/** Goes to an address of the console. */
export function goTo(href: string): void {
  setAddress(href, false)
  place.value = read()
  tick()
}

/** Shows this page in another state. Without an entry in the history, so that going back leaves the page. */
export function setParams(changes: Changes): void {
  setAddress(hrefWith(changes), true)
  place.value = read()
}

/** Looks at the time between two moments: an entry in the history of its own, for going back widens it again. */
export function zoomTo(fromMs: number, toMs: number): void {
  goTo(hrefWith({ range: rangeBetween(fromMs, toMs) }))
}
