/**
 * Prints what is untidy in this repository, one `path:line message` a line; exit status 1 if there is anything.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'
import { findingText } from './finding.ts'
import { readRepository } from './repository.ts'
import { tidy } from './tidy.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const findings = tidy(readRepository(root))
for (const finding of findings) console.log(findingText(finding))
if (findings.length > 0) process.exitCode = 1
