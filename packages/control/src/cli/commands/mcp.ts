/**
 * `flotilla mcp`: the running system for an assistant. It only looks: its credential is that of somebody who may.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@flotilla/core/clock'
import type { Command } from '../command.ts'
import { askAsViewer, findDataFolder } from '../running-system.ts'

/** The command. */
export const mcp: Command = {
  name: 'mcp',
  usage: '',
  summary:
    'lets an assistant look at the running system: a Model Context Protocol server on stdin and stdout',
  details: `An assistant's client starts it; nothing can be changed through it. To be configured there, for this checkout:
  command: npx, arguments: flotilla mcp, in this folder
or from anywhere: command: node, arguments: <checkout>/packages/control/bin/flotilla.mjs mcp --data <checkout>/.flotilla
It ends when its input does.`,
  async run(context) {
    const folder = await findDataFolder(context)
    // Loaded here: no other command needs the protocol.
    const { serveMcp } = await import('../../mcp/mcp-server.ts')
    const isEnded = await serveMcp({
      version: ownVersion(),
      clock: systemClock,
      input: process.stdin,
      output: process.stdout,
      ask: (operation, input, cancellation) => askAsViewer(folder, operation, input, cancellation),
      onError: (what) => context.terminal.error(what),
    })
    return isEnded ? 0 : 1
  },
}

function ownVersion(): string {
  const path = fileURLToPath(import.meta.resolve('@flotilla/control/package.json'))
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }
  return version
}
