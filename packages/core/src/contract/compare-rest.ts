/**
 * What a change of an operation's route means to HTTP callers of the older version.
 *
 * @module
 */
import { breaking, type Change, changed, compatible } from './change.ts'
import type { OperationDescription, RestDescription } from './describe.ts'
import type { JsonSchema } from './schema.ts'

/** The versions of the two contracts: those of all paths that have none of their own. */
export type Versions = readonly [before: number, after: number]

/** Every difference between the routes of two versions of an operation; `path` is where the route is. */
export function compareRest(
  path: string,
  { rest: before, input }: OperationDescription,
  { rest: after }: OperationDescription,
  versions: Versions,
): readonly Change[] {
  if (before === undefined) return changed(path, before, after, compatible('reachable in one more way'))
  if (after === undefined) return changed(path, before, after, breaking('HTTP callers no longer reach it'))
  return [
    ...comparePaths(path, before, after, versions),
    ...changed(
      `${path}/status`,
      before.status,
      after.status,
      breaking('HTTP callers look for the old status'),
    ),
    ...changed(
      `${path}/ifMatch`,
      before.ifMatch,
      after.ifMatch,
      breaking('the field travels in another place than HTTP callers put it'),
    ),
    ...changed(
      `${path}/prefer`,
      before.prefer,
      after.prefer,
      after.prefer !== undefined && before.prefer !== after.prefer && hasField(input, after.prefer)
        ? breaking('the field travels in another place than HTTP callers put it')
        : compatible('a preference is a wish that need not be granted'),
    ),
    ...changed(
      `${path}/acceptedWhile`,
      before.acceptedWhile,
      after.acceptedWhile,
      breaking('HTTP callers tell by the status whether it has ended'),
    ),
    ...changed(
      `${path}/browsing`,
      before.browsing,
      after.browsing,
      breaking('browsers that are on their way keep another cookie, or are led elsewhere'),
    ),
    ...changed(
      `${path}/provenKey`,
      before.provenKey,
      after.provenKey,
      before.provenKey === undefined
        ? compatible('nobody has to prove anything')
        : breaking('HTTP callers that prove to hold a key are not bound to it any more'),
    ),
    ...changed(
      `${path}/etag`,
      before.etag,
      after.etag,
      before.etag === undefined
        ? compatible('HTTP callers may ignore the header')
        : breaking('HTTP callers send the old ETag back as If-Match'),
    ),
  ]
}

/** Where it is found. */
function comparePaths(
  path: string,
  before: RestDescription,
  after: RestDescription,
  [versionBefore, versionAfter]: Versions,
): readonly Change[] {
  const isSameVersion = (before.version ?? versionBefore) === (after.version ?? versionAfter)
  const isOnlyRenamed = withoutNames(before.path) === withoutNames(after.path)
  return [
    ...changed(`${path}/method`, before.method, after.method, breaking('HTTP callers use the old method')),
    ...changed(
      `${path}/path`,
      before.path,
      after.path,
      isOnlyRenamed
        ? compatible('names in braces do not show in a request')
        : breaking('HTTP callers use the old path'),
    ),
    ...changed(
      `${path}/isAtRoot`,
      before.isAtRoot,
      after.isAtRoot,
      breaking('HTTP callers use the old path'),
    ),
    ...changed(
      `${path}/version`,
      before.version,
      after.version,
      isSameVersion ? compatible('the path stays as it is') : breaking('HTTP callers use the old path'),
    ),
  ]
}

const hasField = ({ properties }: JsonSchema, name: string): boolean =>
  typeof properties === 'object' && properties !== null && Object.hasOwn(properties, name)

const withoutNames = (path: string): string => path.replace(/\{[^}]*\}/g, '{}')
