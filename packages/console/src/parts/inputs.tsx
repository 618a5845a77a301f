/**
 * What is filled in: fields, choices, and the buttons that copy and act.
 *
 * @module
 */
import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { after, copy } from '../browser/browser.ts'
import { type Act, propose } from '../state/acts.ts'
import { mayAct } from '../state/session.ts'

/** A field with its label above. It holds what is typed until the form is sent. */
export function TextField({
  name,
  label,
  value,
  kind = '',
  placeholder,
  list,
  isNumber = false,
}: {
  readonly name: string
  readonly label: string
  readonly value: string | undefined
  readonly kind?: '' | 'wide' | 'narrow'
  readonly placeholder?: string
  /** Values to propose. */
  readonly list?: readonly string[]
  readonly isNumber?: boolean
}): JSX.Element {
  return (
    <label class={`field ${kind}`}>
      {label}
      <input
        key={value}
        class="input"
        name={name}
        defaultValue={value ?? ''}
        placeholder={placeholder}
        list={list && `${name}-values`}
        inputMode={isNumber ? 'numeric' : undefined}
        autoComplete="off"
        spellcheck={false}
      />
      {list && (
        <datalist id={`${name}-values`}>
          {list.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </label>
  )
}

/** Several values, of which one is chosen. */
interface Options {
  readonly label: string
  readonly options: readonly (readonly [value: string, text: string])[]
  readonly value: string
  readonly onChoose: (value: string) => void
}

/** One of several values, as buttons side by side. */
export function Choice({ label, options, value, onChoose }: Options): JSX.Element {
  return (
    <fieldset class="choice">
      <legend class="sr">{label}</legend>
      {options.map(([one, text]) => (
        <button key={one} type="button" aria-pressed={one === value} onClick={() => onChoose(one)}>
          {text}
        </button>
      ))}
    </fieldset>
  )
}

/** One of several values, in a list that opens. */
export function Select({ label, options, value, onChoose }: Options): JSX.Element {
  return (
    <label class="field">
      {label}
      <select class="input" value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        {options.map(([one, text]) => (
          <option key={one} value={one}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}

/** The fields of a form that was sent, as texts without spaces around. */
export function formValues(event: SubmitEvent): Record<string, string> {
  event.preventDefault()
  const entries = [...new FormData(event.currentTarget as HTMLFormElement)]
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'string' ? value.trim() : '']),
  )
}

/** Puts a text on the clipboard, and says so. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }): JSX.Element {
  const [said, setSaid] = useState('')
  const onClick = async (): Promise<void> => {
    setSaid((await copy(text)) ? 'Copied' : 'Not allowed')
    after(2_000, () => setSaid(''))
  }
  return (
    <button type="button" class="button small" onClick={() => void onClick()} aria-label={`Copy ${what}`}>
      <span role="status">{said || 'Copy'}</span>
    </button>
  )
}

/** A button that acts, once the person has confirmed; grey while changes are not allowed. */
export function ActButton({
  act,
  isSmall = true,
  children,
}: {
  readonly act: () => Act
  readonly isSmall?: boolean
  readonly children: ComponentChildren
}): JSX.Element {
  const isAllowed = mayAct.value
  return (
    <button
      type="button"
      class={`button ${isSmall ? 'small' : ''}`}
      aria-disabled={!isAllowed}
      title={isAllowed ? undefined : 'Switch on “Allow changes” at the top first'}
      onClick={() => {
        if (isAllowed) propose(act())
      }}
    >
      {children}
    </button>
  )
}
