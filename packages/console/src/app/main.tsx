/**
 * Where the page begins.
 *
 * @module
 */
import { render } from 'preact'
import { startLive } from '../state/live.ts'
import { startPlace } from '../state/place.ts'
import { startSession } from '../state/session.ts'
import { startTheme } from '../state/theme.ts'
import { PAGES } from './pages.tsx'
import { Shell } from './shell.tsx'
import { startShortcuts } from './shortcuts.ts'

startTheme()
startSession()
startPlace()
startShortcuts(new Map(PAGES.map(({ key, path }) => [key, path])))
startLive()
render(<Shell />, document.body.appendChild(document.createElement('div')))
