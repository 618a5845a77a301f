/**
 * `flotilla contracts`, `routes` and `openapi`: what the app promises. They need no running system.
 *
 * @module
 */
import { describeAccess } from '@flotilla/core/access'
import { type Contract, operationsOf } from '@flotilla/core/contract'
import { describeDeprecation } from '@flotilla/core/deprecation'
import { describeContract } from '@flotilla/core/describe'
import { FlotillaError } from '@flotilla/core/error'
import { openApiDocument } from '@flotilla/core/openapi'
import type { Operation } from '@flotilla/core/operation'
import { apiPrefix } from '@flotilla/core/router'
import { contractsOf, loadAllServices, loadApp } from '../../system/app-module.ts'
import type { Command, CommandContext } from '../command.ts'
import { table } from '../terminal.ts'

async function appContracts(context: CommandContext): Promise<readonly Contract[]> {
  const { app } = await loadApp(context.workingFolder)
  return contractsOf(await loadAllServices(app))
}

/** What to put behind its summary when it is going to go. */
function endOf({ service, deprecated }: Operation): string {
  return deprecated === undefined ? '' : ` ${describeDeprecation(service, deprecated)}`
}

/** `flotilla contracts`. */
export const contracts: Command = {
  name: 'contracts',
  usage: '[SERVICE]',
  summary: 'operations and events of every service, or everything about one',
  argumentsMax: 1,
  async run(context) {
    const { terminal, positionals } = context
    const all = await appContracts(context)
    const [name] = positionals
    if (name !== undefined) {
      const contract = all.find((one) => one.name === name)
      if (contract === undefined) throw new FlotillaError('not_found', `There is no service ${name}.`)
      const description = describeContract(contract)
      terminal.result(description, () => [JSON.stringify(description, undefined, 2)])
      return undefined
    }
    terminal.result(all.map(describeContract), () =>
      all.flatMap((contract) => [
        `${terminal.style('bold', contract.name)} v${contract.version}: ${contract.summary}`,
        ...table(
          operationsOf(contract).map((operation) => [
            `  ${operation.id}`,
            operation.kind,
            describeAccess(operation.access),
            `${operation.summary}${endOf(operation)}`,
          ]),
        ),
        '',
      ]),
    )
    return undefined
  },
}

/** `flotilla routes`. */
export const routes: Command = {
  name: 'routes',
  usage: '',
  summary: 'HTTP routes of the gateway',
  async run(context) {
    const found = (await appContracts(context)).flatMap(operationsOf).flatMap((operation) => {
      const { rest, id, access } = operation
      if (rest === undefined) return []
      return [
        {
          method: rest.method,
          path: apiPrefix(operation) + rest.path,
          operation: id,
          access: describeAccess(access),
          ...(operation.deprecated === undefined ? {} : { deprecated: endOf(operation).trimStart() }),
        },
      ]
    })
    context.terminal.result(found, () =>
      table([
        ['METHOD', 'PATH', 'OPERATION', 'FOR', ''],
        ...found.map(({ method, path, operation, access, deprecated = '' }) => [
          method,
          path,
          operation,
          access,
          deprecated,
        ]),
      ]),
    )
    return undefined
  },
}

/** `flotilla openapi`. */
export const openapi: Command = {
  name: 'openapi',
  usage: '',
  summary: 'the OpenAPI 3.1 document of the gateway',
  async run(context) {
    const { app, version } = await loadApp(context.workingFolder)
    const document = openApiDocument({
      title: app.name,
      version,
      contracts: contractsOf(await loadAllServices(app)),
    })
    context.terminal.result(document, () => [JSON.stringify(document, undefined, 2)])
    return undefined
  },
}
