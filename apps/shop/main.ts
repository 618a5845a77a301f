/**
 * The program of every host process of the shop.
 *
 * @module
 */
import { run } from '@flotilla/core/run-host'
import { app } from './app.ts'

await run(app)
