/**
 * The dialogs: confirming an act, finding anything, and the keys.
 *
 * @module
 */
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { decide, isActing, pendingAct } from '../state/acts.ts'
import { overview } from '../state/live.ts'
import { goTo, hrefTo } from '../state/place.ts'
import { type Finding, findings } from './findings.ts'
import { PAGES } from './pages.tsx'
import { openDialog } from './shortcuts.ts'

/** A dialog of the browser's own: it keeps the focus, and Escape closes it. */
function Modal({
  label,
  kind = '',
  onClose,
  children,
}: {
  readonly label: string
  readonly kind?: string
  readonly onClose: () => void
  readonly children: ComponentChildren
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does what clicking beside it does
    <dialog
      ref={dialog}
      class={kind}
      aria-label={label}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) onClose()
      }}
    >
      {children}
    </dialog>
  )
}

/** Asks whether to do what was proposed. */
export function ConfirmDialog(): JSX.Element | null {
  const act = pendingAct.value
  if (act === undefined) return null
  const { title, detail, verb, isDangerous = false } = act
  return (
    <Modal label={title} onClose={() => void decide(false)}>
      <h2>{title}</h2>
      <p>{detail}</p>
      <div class="buttons">
        <button type="button" class="button" disabled={isActing.value} onClick={() => void decide(false)}>
          Cancel
        </button>
        <button
          type="button"
          class={`button ${isDangerous ? 'danger' : 'primary'}`}
          disabled={isActing.value}
          onClick={() => void decide(true)}
        >
          {isActing.value ? 'Working …' : verb}
        </button>
      </div>
    </Modal>
  )
}

const close = (): void => {
  openDialog.value = undefined
}

/** Finds pages, services, traces by their id, and lines by their words. */
export function Palette(): JSX.Element {
  const [text, setText] = useState('')
  const [chosen, setChosen] = useState(0)
  const services = overview.value?.services.map(({ name }) => name) ?? []
  const found = findings(
    text,
    PAGES.map(({ title, path }) => ({ title, path })),
    services,
  )
  const index = Math.min(chosen, found.length - 1)
  const open = (finding: Finding | undefined): void => {
    close()
    if (finding) goTo(hrefTo(finding.path, finding.params))
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) setChosen((index + step + found.length) % found.length)
    else if (event.key === 'Enter') open(found[index])
    else return
    event.preventDefault()
  }
  return (
    <Modal label="Find" kind="palette" onClose={close}>
      <input
        type="text"
        role="combobox"
        aria-label="Find a page, a service, a trace id, or words in logs"
        aria-expanded="true"
        aria-controls="found"
        aria-activedescendant={found.length > 0 ? `found-${index}` : undefined}
        placeholder="Page, service, trace id, or words in logs"
        autoComplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value)
          setChosen(0)
        }}
        onKeyDown={onKeyDown}
      />
      <div id="found" role="listbox" aria-label="Found">
        {found.map((finding, at) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys
          // biome-ignore lint/a11y/useFocusableInteractive: the field above has the focus
          <div
            key={`${finding.path}${finding.title}`}
            id={`found-${at}`}
            role="option"
            aria-selected={at === index}
            onClick={() => open(finding)}
          >
            {finding.title} <span>{finding.kind}</span>
          </div>
        ))}
      </div>
    </Modal>
  )
}

/** The keys. */
export function HelpDialog(): JSX.Element {
  const keys: readonly (readonly [string, string])[] = [
    ['/', 'find'],
    ['?', 'this help'],
    ['r', 'ask again now'],
    ['t', 'dark or light'],
    ...PAGES.map(({ key, title }) => [`g ${key}`, title] as const),
  ]
  return (
    <Modal label="Keys" onClose={close}>
      <h2>Keys</h2>
      <dl class="keys-list">
        {keys.flatMap(([key, what]) => [
          <dt key={key}>
            {key.split(' ').map((one) => (
              <kbd key={one}>{one}</kbd>
            ))}
          </dt>,
          <dd key={`${key} does`}>{what}</dd>,
        ])}
      </dl>
      <div class="buttons">
        <button type="button" class="button" onClick={close}>
          Close
        </button>
      </div>
    </Modal>
  )
}
