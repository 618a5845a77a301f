/**
 * Finding the app that a checkout is about, and learning what its services need.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { App } from '@flotilla/core/app'
import type { Contract } from '@flotilla/core/contract'
import { FlotillaError } from '@flotilla/core/error'
import type { Service } from '@flotilla/core/service'
import type { PlaceableService } from '../topology/placement.ts'

/** An app, found. */
export interface AppModule {
  readonly app: App
  /** The folder of the checkout: of the package.json that names the app. */
  readonly root: string
  readonly folder: string
  /** The program that is one host of it. */
  readonly main: string
  readonly version: string
}

/**
 * Loads the app named by `flotilla.app` of the nearest package.json at or above `start`.
 *
 * @throws FlotillaError `failed_precondition` when there is none, or it is not built.
 */
export async function loadApp(start: string): Promise<AppModule> {
  const root = findRoot(resolve(start))
  const { flotilla, version } = readManifest(root)
  const folder = join(root, flotilla?.app as string)
  const main = join(folder, 'bundle', 'main.js')
  const entry = join(folder, 'bundle', 'app.js')
  if (!existsSync(main) || !existsSync(entry)) {
    throw new FlotillaError('failed_precondition', `The app in ${folder} is not built; run: npm run build`)
  }
  const { app } = (await import(pathToFileURL(entry).href)) as { readonly app: App }
  return { app, root, folder, main, version: version ?? '0.0.0' }
}

interface Manifest {
  readonly version?: string
  readonly flotilla?: { readonly app?: string }
}

function readManifest(folder: string): Manifest {
  const path = join(folder, 'package.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Manifest) : {}
}

function findRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (readManifest(folder).flotilla?.app !== undefined) return folder
    if (dirname(folder) === folder) {
      throw new FlotillaError(
        'failed_precondition',
        'No app here: no package.json at or above this folder has "flotilla": { "app": "<folder>" }.',
      )
    }
  }
}

/** The services of an app, by name. */
export async function loadAllServices(app: App): Promise<ReadonlyMap<string, Service>> {
  const loaded = await Promise.all(
    Object.entries(app.services).map(async ([name, load]) => [name, await load()] as const),
  )
  return new Map(loaded)
}

/** All contracts of an app. */
export function contractsOf(services: ReadonlyMap<string, Service>): readonly Contract[] {
  return [...services.values()].map(({ contract }) => contract)
}

/** Services that listen on a port of their own, so that a machine can run one of each. */
const SINGLE = ['gateway', 'registry']

/** What placements must know. Everybody needs the registry first. */
export function placeable(
  { outside = [] }: Pick<App, 'outside'>,
  services: ReadonlyMap<string, Service>,
): readonly PlaceableService[] {
  return [...services.entries()].map(([name, service]) => {
    const calls = service.calls.map((contract) => contract.name)
    const needs = name === 'registry' || !services.has('registry') ? calls : ['registry', ...calls]
    const isOutside = outside.some(({ service }) => service === name)
    return { name, calls: needs, isSingle: isOutside || SINGLE.includes(name), isOutside }
  })
}
