/**
 * The browser: time, the network, the address line, what is remembered, and the clipboard. The rest of the console takes them from here and
 * nowhere else.
 *
 * @module
 */

/** Milliseconds since 1970. */
export function nowMs(): number {
  return Date.now()
}

/** Milliseconds since 1970 of an ISO 8601 time; NaN for anything else. */
export function parseTimeMs(text: string): number {
  return Date.parse(text)
}

/** Calls `work` once, later; what is returned takes it back. */
export function after(delayMs: number, work: () => void): () => void {
  const timer = setTimeout(work, delayMs)
  return () => clearTimeout(timer)
}

/** Resolves later. */
export function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    after(delayMs, resolve)
  })
}

/** Calls `work` again and again; what is returned ends it. */
export function every(periodMs: number, work: () => void): () => void {
  const timer = setInterval(work, periodMs)
  return () => clearInterval(timer)
}

/** Asks the server this page came from. @throws TypeError when it cannot be reached. */
export function request(path: string, init: RequestInit): Promise<Response> {
  return fetch(path, { credentials: 'same-origin', redirect: 'error', ...init })
}

/** What the page remembers under `name`; undefined when there is nothing, or the browser keeps nothing. */
export function remembered(name: string): string | undefined {
  try {
    return localStorage.getItem(`flotilla.${name}`) ?? undefined
  } catch {
    return undefined
  }
}

/** Remembers `value`; undefined forgets. */
export function remember(name: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(`flotilla.${name}`)
    else localStorage.setItem(`flotilla.${name}`, value)
  } catch {
    // A browser that keeps nothing shows the page all the same.
  }
}

/** Path, query and fragment in the address line. */
export function address(): { readonly path: string; readonly search: string; readonly hash: string } {
  return { path: location.pathname, search: location.search, hash: location.hash }
}

/** Puts `href` into the address line, as a new entry of the history or in place of the present one. */
export function setAddress(href: string, isReplacing: boolean): void {
  if (isReplacing) history.replaceState(null, '', href)
  else history.pushState(null, '', href)
}

/** Calls `listener` when the person goes back or forward. */
export function onHistory(listener: () => void): void {
  addEventListener('popstate', listener)
}

/** Calls `listener` when nothing but the fragment of the address changes, which does not load the page again. */
export function onFragment(listener: () => void): void {
  addEventListener('hashchange', listener)
}

/** Whether somebody can see the page. */
export function isVisible(): boolean {
  return document.visibilityState === 'visible'
}

/** Calls `listener` when the page is shown or hidden. */
export function onVisibility(listener: () => void): void {
  document.addEventListener('visibilitychange', listener)
}

/** Whether the system is set to `(prefers-…)`; `listener`, where given, is called when that changes. */
export function prefers(query: string, listener?: () => void): boolean {
  const media = matchMedia(query)
  if (listener) media.addEventListener('change', listener)
  return media.matches
}

/** Puts `text` on the clipboard; false when the browser will not. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}
