/**
 * Acts: each is described before it is done, confirmed by the person, and its outcome shown.
 *
 * @module
 */
import { signal } from '@preact/signals'
import { after, nowMs } from '../browser/browser.ts'
import { tick } from './place.ts'

/** What is about to be done. */
export interface Act {
  /** A question: `Restart catalog-1?` */
  readonly title: string
  /** What exactly will happen, in a sentence or two. */
  readonly detail: string
  /** On the button: a verb. */
  readonly verb: string
  /** For what cannot be undone. */
  readonly isDangerous?: boolean
  /** Does it, and says what came of it. */
  readonly run: () => Promise<string>
}

/** What came of an act. */
export interface Toast {
  readonly id: number
  readonly text: string
  readonly isFailure: boolean
}

/** The act that waits for the person's word. */
export const pendingAct = signal<Act | undefined>(undefined)

/** True while an act is being done. */
export const isActing = signal(false)

/** Outcomes on the screen, the latest last. */
export const toasts = signal<readonly Toast[]>([])

const TOASTS_MAX = 4
const TOAST_MS = 8_000

/** Shows a sentence for a while. */
export function tell(text: string, isFailure = false): void {
  const toast: Toast = { id: nowMs() + toasts.value.length, text, isFailure }
  toasts.value = [...toasts.value, toast].slice(-TOASTS_MAX)
  if (!isFailure) after(TOAST_MS, () => dismiss(toast.id))
}

/** Takes an outcome off the screen. Failures stay until then. */
export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id)
}

/** Asks for confirmation. */
export function propose(act: Act): void {
  pendingAct.value = act
}

/** Does what was proposed, or not. */
export async function decide(isConfirmed: boolean): Promise<void> {
  const act = pendingAct.value
  if (act === undefined || isActing.value) return
  if (isConfirmed) {
    isActing.value = true
    try {
      tell(await act.run())
    } catch (error) {
      tell(`${act.verb} failed: ${error instanceof Error ? error.message : String(error)}`, true)
    } finally {
      isActing.value = false
    }
    tick()
  }
  pendingAct.value = undefined
}
