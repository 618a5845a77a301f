/**
 * Keys, and clicks on links to other pages of the console, which do not load it again.
 *
 * @module
 */
import { signal } from '@preact/signals'
import { nowMs } from '../browser/browser.ts'
import { pendingAct } from '../state/acts.ts'
import { KeyReader } from '../state/keys.ts'
import { goTo, hrefTo, tick } from '../state/place.ts'
import { switchTheme } from '../state/theme.ts'

/** The dialog that is open. */
export const openDialog = signal<'search' | 'help' | undefined>(undefined)

/** Begins to listen. To be called once; `pageKeys` names a path for each key after `g`. */
export function startShortcuts(pageKeys: ReadonlyMap<string, string>): void {
  const keys = new KeyReader()
  document.addEventListener('keydown', (event) => {
    if (openDialog.value !== undefined || pendingAct.value !== undefined) return
    const press = keys.read(event, nowMs(), isTyping(event.target))
    if (press.kind === 'none' || press.kind === 'first') return
    event.preventDefault()
    if (press.kind === 'page') {
      const path = pageKeys.get(press.key)
      if (path !== undefined) goTo(hrefTo(path))
    } else if (press.kind === 'refresh') tick()
    else if (press.kind === 'theme') switchTheme()
    else openDialog.value = press.kind
  })
  document.addEventListener('click', (event) => {
    const href = consoleHref(event)
    if (href === undefined) return
    event.preventDefault()
    goTo(href)
  })
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input:not([type=checkbox]), select, textarea') !== null
}

/** Where a plain click leads, when that is a page of the console. */
function consoleHref(event: MouseEvent): string | undefined {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey)
    return undefined
  const link = event.target instanceof Element ? event.target.closest('a') : null
  const href = link?.getAttribute('href') ?? ''
  return href.startsWith('/console/') && !link?.hasAttribute('target') ? href : undefined
}
