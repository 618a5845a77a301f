/**
 * All checks about the shape of the code that neither the compiler nor the linter makes.
 *
 * @module
 */
import { checkAmbient } from './ambient.ts'
import { checkCasts } from './casts.ts'
import { checkCycles } from './cycles.ts'
import { checkDeadCode } from './dead-code.ts'
import { checkDependencies } from './dependencies.ts'
import { checkDocumentation } from './documentation.ts'
import { checkErrors } from './errors.ts'
import type { Finding } from './finding.ts'
import { checkHygiene } from './hygiene.ts'
import { checkLayering } from './layering.ts'
import { checkNames } from './names.ts'
import { checkPages } from './pages.ts'
import type { Repository } from './repository.ts'
import { checkSize } from './size.ts'
import { checkUnits } from './units.ts'
import { checkWorkspaceAgreement } from './workspace-agreement.ts'

const CHECKS: readonly ((repository: Repository) => Finding[])[] = [
  checkLayering,
  checkCycles,
  checkAmbient,
  checkErrors,
  checkCasts,
  checkDocumentation,
  checkNames,
  checkUnits,
  checkSize,
  checkDeadCode,
  checkDependencies,
  checkWorkspaceAgreement,
  checkPages,
  checkHygiene,
]

/** Everything to mend in `repository`, by file and line. */
export function tidy(repository: Repository): Finding[] {
  return CHECKS.flatMap((check) => check(repository)).sort(
    (a, b) => a.path.localeCompare(b.path, 'en') || a.line - b.line,
  )
}
