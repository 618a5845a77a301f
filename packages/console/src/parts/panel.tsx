/**
 * The frames that pages are made of: the head of a page, panels, figures, facts, code.
 *
 * @module
 */
import type { ComponentChildren, JSX } from 'preact'
import { Spark } from './spark.tsx'

/** The head of a page. */
export function PageHead({
  title,
  about,
  children,
}: {
  readonly title: ComponentChildren
  readonly about?: ComponentChildren
  readonly children?: ComponentChildren
}): JSX.Element {
  return (
    <div class="page-head">
      <h1>{title}</h1>
      <span class="muted">{about}</span>
      {children}
    </div>
  )
}

/** A panel with a heading; `side` stands at the end of its line. */
export function Panel({
  title,
  side,
  isBare = false,
  children,
}: {
  readonly title: ComponentChildren
  readonly side?: ComponentChildren
  /** True for tables, which bring their own margins. */
  readonly isBare?: boolean
  readonly children: ComponentChildren
}): JSX.Element {
  return (
    <section class="panel">
      <header>
        <h2>{title}</h2>
        {side}
      </header>
      {isBare ? children : <div class="inside">{children}</div>}
    </section>
  )
}

/** A figure with its name. */
export interface FigureProps {
  readonly label: string
  readonly value: ComponentChildren
  readonly note?: ComponentChildren
  readonly spark?: readonly number[]
  readonly tone?: 'ok' | 'warning' | 'bad'
}

/** Figures in a row. */
export function Figures({ items }: { readonly items: readonly FigureProps[] }): JSX.Element {
  return (
    <dl class="figures">
      {items.map(({ label, value, note, spark, tone }) => (
        <div class="figure" key={label}>
          <dt>{label}</dt>
          <dd class={tone && `tone-${tone}`}>{value}</dd>
          {spark && spark.length > 1 && (
            <dd class="note">
              <Spark values={spark} />
            </dd>
          )}
          {note !== undefined && <dd class="note">{note}</dd>}
        </div>
      ))}
    </dl>
  )
}

/** Facts in a line: names and values. Those without a value are left out. */
export function Facts({
  items,
}: {
  readonly items: readonly (readonly [name: string, value: ComponentChildren])[]
}): JSX.Element {
  return (
    <dl class="facts">
      {items
        .filter(([, value]) => value !== undefined && value !== '' && value !== null)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}

/** Text as it is, in a box that scrolls. */
export function Code({ label, text }: { readonly label: string; readonly text: string }): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="code" tabIndex={0} aria-label={label}>
      <pre>{text}</pre>
    </section>
  )
}

/** Small labels in a row. */
export function Tags({ items }: { readonly items: readonly string[] }): JSX.Element {
  return (
    <span class="tags">
      {items.map((item) => (
        <span class="tag" key={item}>
          {item}
        </span>
      ))}
    </span>
  )
}
