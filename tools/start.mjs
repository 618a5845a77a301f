/**
 * `npm start`: installs what is missing, builds, and hands over to `flotilla up` in this very process, so that signals
 * and the exit status are its own. For the same end package.json says `exec`: a shell between npm and us would answer
 * Ctrl-C with status 130, and leave us behind when npm is told to end. On Ctrl-C the terminal signals us and npm does
 * too, so `up` sees one SIGINT or two.
 *
 * @module
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, install, root } from './bootstrap.mjs'

const program = join(root, 'packages/control/bundle/main.js')

await install()
await build()
const { main } = await import(pathToFileURL(program).href)
process.exitCode = await main(['up', ...process.argv.slice(2)])
