/**
 * `npm run build`: installs what is missing and builds what changed.
 *
 * @module
 */
import { build, install } from './bootstrap.mjs'

await install()
await build()
