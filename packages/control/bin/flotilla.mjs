#!/usr/bin/env node
/**
 * The `flotilla` command. Plain JavaScript, because npm links it before anything is built.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'

// Before anything is imported that an older Node cannot even read.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`error: Flotilla needs Node.js 20.19 or newer, this is ${process.version}\n`)
  process.exit(1)
}

const bundle = new URL('../bundle/main.js', import.meta.url)
if (process.argv[2] === '--version') {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  process.stdout.write(`${version}\n`)
} else if (existsSync(bundle)) {
  const { main } = await import(bundle.href)
  // Done is done: nothing that is still open, such as the channel to a process that does not end, may keep us.
  process.exit(await main(process.argv.slice(2)))
} else {
  process.stderr.write('error: Flotilla is not built here; run: npm run build\n')
  process.exitCode = 1
}
