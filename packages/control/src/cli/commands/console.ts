/**
 * `flotilla console`: the link to the page of the running system.
 *
 * @module
 */
import { systemRandom } from '@flotilla/core/random'
import { loadApp } from '../../system/app-module.ts'
import { consoleLink, TELEMETRY_KEY } from '../../system/console-pages.ts'
import { Secrets } from '../../system/data-folder.ts'
import type { Command } from '../command.ts'
import { dataFolderOf, runningSystem } from '../running-system.ts'

/** The command. */
export const consoleCommand: Command = {
  name: 'console',
  usage: '',
  summary: 'the link to the console, and with what other programs send it telemetry',
  details:
    'Whoever has the link may look, and change what the control API can change; it works on this machine only.',
  async run(context) {
    const { root } = await loadApp(context.workingFolder)
    const folder = dataFolderOf(context, root)
    const { url } = runningSystem(folder)
    const secrets = new Secrets(folder, systemRandom)
    const link = consoleLink(url, secrets)
    const variables = {
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_HEADERS: `x-otlp-api-key=${secrets.get(TELEMETRY_KEY)}`,
    }
    context.terminal.result({ console: link, telemetry: variables }, () => [
      link,
      '',
      'Any other program shows itself there with:',
      ...Object.entries(variables).map(([name, value]) => `  ${name}=${value}`),
    ])
    return undefined
  },
}
