/**
 * Marks that say how well something is: always a shape and a word, never a colour alone.
 *
 * @module
 */
import type { JSX } from 'preact'
import { duration } from '../format/figures.ts'

/** How well something is. */
export type Tone = 'ok' | 'warning' | 'bad' | 'idle'

/** The outlines of the shapes, in a square of 12: disc, triangle, square with a cross, ring. */
const SHAPES: Readonly<Record<Tone, JSX.Element>> = {
  ok: <circle cx="6" cy="6" r="5" fill="currentColor" />,
  warning: <path d="M6 1 11.5 11H.5z" fill="currentColor" />,
  bad: (
    <path
      d="M1 1h10v10H1zM4 3 3 4l2 2-2 2 1 1 2-2 2 2 1-1-2-2 2-2-1-1-2 2z"
      fill="currentColor"
      fill-rule="evenodd"
    />
  ),
  idle: <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="2" />,
}

const WORDS: Readonly<Record<Tone, string>> = { ok: 'well', warning: 'warning', bad: 'bad', idle: 'idle' }

/** A shape and a word; the word may be another than the tone's own. */
export function Mark({ tone, word }: { readonly tone: Tone; readonly word?: string }): JSX.Element {
  return (
    <span class={`mark tone-${tone}`}>
      <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
        {SHAPES[tone]}
      </svg>
      <span>{word ?? WORDS[tone]}</span>
    </span>
  )
}

/** The shape alone, for pictures that say the word elsewhere. */
export function Shape({
  tone,
  x,
  y,
}: {
  readonly tone: Tone
  readonly x: number
  readonly y: number
}): JSX.Element {
  return (
    <g class={`tone-${tone}`} transform={`translate(${x} ${y})`}>
      {SHAPES[tone]}
    </g>
  )
}

const TONES: Readonly<Record<string, Tone>> = {
  ready: 'ok',
  running: 'ok',
  completed: 'ok',
  resolved: 'ok',
  done: 'ok',
  ok: 'ok',
  starting: 'warning',
  stopping: 'warning',
  compensating: 'warning',
  retrying: 'warning',
  waiting: 'warning',
  pending: 'warning',
  warning: 'warning',
  warn: 'warning',
  compensated: 'idle',
  stopped: 'idle',
  begun: 'idle',
  info: 'idle',
  debug: 'idle',
  trace: 'idle',
}

/** The tone of a word for a state, level, severity or outcome; `bad` for words that are not known to be harmless. */
export function toneOf(word: string): Tone {
  return Object.hasOwn(TONES, word) ? (TONES[word] ?? 'bad') : 'bad'
}

/** The tone of a duration: below 100 ms, up to 500 ms, above. */
export function durationTone(valueMs: number): Tone {
  if (valueMs < 100) return 'ok'
  return valueMs <= 500 ? 'warning' : 'bad'
}

/** A duration with its tone. */
export function Lasted({ valueMs }: { readonly valueMs: number }): JSX.Element {
  return <Mark tone={durationTone(valueMs)} word={duration(valueMs)} />
}
