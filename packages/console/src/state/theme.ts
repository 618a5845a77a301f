/**
 * Dark or light: as the system is set, or as the person chose here.
 *
 * @module
 */
import { effect, signal } from '@preact/signals'
import { prefers, remember, remembered } from '../browser/browser.ts'

const DARK = '(prefers-color-scheme: dark)'

/** What the person chose; undefined: as the system is set. */
const chosen = signal<'dark' | 'light' | undefined>(undefined)
const isSystemDark = signal(false)

/** Whether the page is dark now. */
export const isDark = signal(false)

/** Begins to follow the system and the choice. To be called once. */
export function startTheme(): void {
  const before = remembered('theme')
  chosen.value = before === 'dark' || before === 'light' ? before : undefined
  isSystemDark.value = prefers(DARK, () => {
    isSystemDark.value = prefers(DARK)
  })
  effect(() => {
    isDark.value = (chosen.value ?? (isSystemDark.value ? 'dark' : 'light')) === 'dark'
    document.documentElement.dataset['theme'] = isDark.value ? 'dark' : 'light'
  })
}

/** The other one. Choosing what the system is set to follows the system again. */
export function switchTheme(): void {
  const next = isDark.value ? 'light' : 'dark'
  chosen.value = (next === 'dark') === isSystemDark.value ? undefined : next
  remember('theme', chosen.value)
}
