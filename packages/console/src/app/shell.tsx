/**
 * What is around every page: navigation, the bar with time and refreshing, what was done, and the dialogs.
 *
 * @module
 */
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { plural } from '../format/figures.ts'
import { dismiss, toasts } from '../state/acts.ts'
import { isReachable } from '../state/api.ts'
import { overview } from '../state/live.ts'
import { hrefTo, place } from '../state/place.ts'
import { isLoggedIn, mayAct } from '../state/session.ts'
import { Bar } from './bar.tsx'
import { ConfirmDialog, HelpDialog, Palette } from './dialogs.tsx'
import { LoginPage } from './login-page.tsx'
import { PAGES, PageAt, pageAt } from './pages.tsx'
import { openDialog } from './shortcuts.ts'

/** The whole page. */
export function Shell(): JSX.Element {
  const { path } = place.value
  const [isOpen, setIsOpen] = useState(false)
  const main = useRef<HTMLElement>(null)
  const isFirst = useRef(true)
  useTitle(path)
  // Dependencies: another page, not another state of it
  useEffect(() => {
    setIsOpen(false)
    if (isFirst.current) isFirst.current = false
    else {
      main.current?.focus({ preventScroll: true })
      scrollTo(0, 0)
    }
  }, [path])
  useEffect(() => {
    if (!isOpen) return undefined
    const onKey = ({ key }: KeyboardEvent): void => {
      if (key === 'Escape') setIsOpen(false)
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [isOpen])
  if (!isLoggedIn.value) return <LoginPage />
  return (
    <>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <div class="shell">
        <Side path={path} isOpen={isOpen} />
        <button
          type="button"
          class={`scrim ${isOpen ? 'is-open' : ''}`}
          aria-label="Close the navigation"
          onClick={() => setIsOpen(false)}
        />
        <div>
          <Bar onMenu={() => setIsOpen(!isOpen)} isMenuOpen={isOpen} />
          {!isReachable.value && (
            <div class="banner" role="alert">
              The control process does not answer. What you see is old; it is asked again. Is the system
              running? See: <code>npx flotilla status</code>
            </div>
          )}
          {mayAct.value && (
            <div class="acting" role="status">
              Changes are allowed in this tab. Each asks before it is done, and is written down.
            </div>
          )}
          <main id="main" ref={main} tabIndex={-1}>
            <PageAt key={path} path={path} />
          </main>
        </div>
      </div>
      <Toasts />
      <ConfirmDialog />
      {openDialog.value === 'search' && <Palette />}
      {openDialog.value === 'help' && <HelpDialog />}
    </>
  )
}

function useTitle(path: string): void {
  const problems = overview.value?.problems.length ?? 0
  const title = pageAt(path)?.title ?? 'Flotilla'
  useEffect(() => {
    document.title = `${problems > 0 ? `(${problems}) ` : ''}${title} · Flotilla`
  }, [title, problems])
}

function Side({ path, isOpen }: { readonly path: string; readonly isOpen: boolean }): JSX.Element {
  const side = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (isOpen) side.current?.querySelector('a')?.focus()
  }, [isOpen])
  const current = pageAt(path)
  const problems = overview.value?.problems.length ?? 0
  return (
    <div ref={side} class={`side ${isOpen ? 'is-open' : ''}`}>
      <nav id="pages" aria-label="Pages">
        <div class="brand">
          Flotilla <small>{overview.value?.app}</small>
        </div>
        <ul>
          {PAGES.map((page) => (
            <li key={page.path}>
              <a href={hrefTo(page.path)} aria-current={page === current ? 'page' : undefined}>
                {page.title}
                {page.path === '/' && problems > 0 ? (
                  <span class="count-badge">
                    {problems}
                    <span class="sr"> {plural(problems, 'problem').replace(/^\S+ /, '')}</span>
                  </span>
                ) : (
                  <span class="keys" aria-hidden="true">
                    g {page.key}
                  </span>
                )}
              </a>
            </li>
          ))}
        </ul>
      </nav>
    </div>
  )
}

function Toasts(): JSX.Element {
  return (
    <div class="toasts" role="status">
      {toasts.value.map(({ id, text, isFailure }) => (
        <div key={id} class={`toast ${isFailure ? 'is-failure' : ''}`}>
          <span>
            <strong>{isFailure ? 'Failed. ' : 'Done. '}</strong>
            {text}
          </span>
          <button type="button" class="button small" onClick={() => dismiss(id)}>
            Close
          </button>
        </div>
      ))}
    </div>
  )
}
