/**
 * The bar above every page: the time looked at, refreshing, searching, acting, light.
 *
 * @module
 */
import type { JSX } from 'preact'
import { minuteTime } from '../format/times.ts'
import { parseRange, RANGES, rangeName } from '../state/address.ts'
import { place, range, rangeMs, refreshS, setParams, tick } from '../state/place.ts'
import { mayAct } from '../state/session.ts'
import { isDark, switchTheme } from '../state/theme.ts'
import { openDialog } from './shortcuts.ts'

const RANGE_WORDS: Readonly<Record<string, string>> = {
  '15m': 'last 15 minutes',
  '1h': 'last hour',
  '6h': 'last 6 hours',
  '24h': 'last 24 hours',
}
const REFRESHES = [2, 5, 15, 60]
const DAY_MS = 86_400_000

/** The bar. */
export function Bar({
  onMenu,
  isMenuOpen,
}: {
  readonly onMenu: () => void
  readonly isMenuOpen: boolean
}): JSX.Element {
  return (
    <header class="bar">
      <button
        type="button"
        class="button menu"
        aria-expanded={isMenuOpen}
        aria-controls="pages"
        onClick={onMenu}
      >
        Menu
      </button>
      <RangeSelect />
      <RefreshSelect />
      <span class="grow" />
      <button
        type="button"
        class="button"
        onClick={() => {
          openDialog.value = 'search'
        }}
      >
        Find <kbd class="search-hint">/</kbd>
      </button>
      <label class="check">
        <input
          type="checkbox"
          checked={mayAct.value}
          onChange={(event) => {
            mayAct.value = event.currentTarget.checked
          }}
        />
        Allow changes
      </label>
      <button
        type="button"
        class="button"
        onClick={switchTheme}
        aria-label={isDark.value ? 'Light theme' : 'Dark theme'}
      >
        {isDark.value ? 'Light' : 'Dark'}
      </button>
      <button
        type="button"
        class="button"
        aria-label="Keys and help"
        onClick={() => {
          openDialog.value = 'help'
        }}
      >
        ?
      </button>
    </header>
  )
}

function RangeSelect(): JSX.Element {
  const text = place.value.params['range']
  const isBetween = 'fromMs' in parseRange(text)
  const { fromMs, toMs } = range.value
  const hasDays = rangeMs.value > DAY_MS
  return (
    <label>
      <span class="words">Time</span>
      <select
        class="input"
        aria-label="Time looked at"
        value={isBetween ? 'between' : rangeName(text)}
        onChange={(event) => setParams({ range: event.currentTarget.value })}
      >
        {isBetween && (
          <option value="between" disabled>
            {minuteTime(fromMs, hasDays)} to {minuteTime(toMs, hasDays)}
          </option>
        )}
        {Object.keys(RANGES).map((name) => (
          <option key={name} value={name}>
            {RANGE_WORDS[name]}
          </option>
        ))}
      </select>
    </label>
  )
}

function RefreshSelect(): JSX.Element {
  const onChange = (value: string): void => {
    setParams({ refresh: value })
    tick()
  }
  return (
    <label>
      <span class="words">Refresh</span>
      <select
        class="input"
        aria-label="Refresh"
        value={String(refreshS.value)}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        {REFRESHES.map((seconds) => (
          <option key={seconds} value={String(seconds)}>
            every {seconds} s
          </option>
        ))}
        <option value="0">paused</option>
      </select>
    </label>
  )
}
