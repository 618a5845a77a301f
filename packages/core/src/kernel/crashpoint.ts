/**
 * Places in the code at which tests make a process fail: before, between and after the effects that must stay together.
 *
 * In production a crash point is the check of one variable. In a process that was started with `FLOTILLA_CRASHPOINTS=FOLDER` it
 * looks for a file `FOLDER/armed/<point>@<where>`, which holds the fault:
 *
 * - `kill`: the process kills itself, as `kill -9` does.
 * - `stop`: the process stops itself, as `kill -STOP` does, until somebody lets it go on.
 * - `lose`: the reply to the next write that this process commits is lost, together with the connection, after the server has run
 *   it.
 * - `fail`: the place throws, for as long as the file is there.
 *
 * A folder `FOLDER/seen`, if there is one, gets an empty file for every place that is passed.
 *
 * Whoever comes first moves the file to `FOLDER/hit` and so alone has the fault, of all processes and for good; then it
 * writes into the file who it was.
 *
 * @module
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FlotillaError } from './error.ts'

/** The points; each stands for as many places as there are operations, services or steps that pass it. */
export const crashPoints = {
  'command.after-claim': 'an idempotency key is claimed, the command has not begun',
  'command.before-commit': 'everything of a command is written, its COMMIT is not sent',
  'command.after-commit': 'a command is committed, its caller knows nothing',
  'outbox.after-commit': 'an event is committed, its relay was not woken',
  'relay.before-append': 'events are read, the log has not heard of them',
  'relay.after-append': 'the log has events that are still in the outbox',
  'relay.after-delete': 'events have left the outbox',
  'log.before-append': 'the log has taken an append on, and has not written it',
  'log.after-append': 'the log has committed an append, its producer and its followers know nothing',
  'group.before-commit': 'the reactions to a batch of events have run, nothing is committed',
  'group.after-commit': 'the reactions to a batch are committed, the group has not gone on',
  'parked.before-commit': 'an event that failed is written down, not committed',
  'parked.after-commit': 'an event that failed is parked, the group has not gone on',
  'retry.before-commit': 'a parked event was handled, not committed',
  'retry.after-commit': 'a parked event was handled',
  'saga.after-start': 'a saga is committed, and has not begun to run',
  'saga.before-step': 'a step, or its undoing, is to begin',
  'saga.after-step': 'a step has had its effect elsewhere, the saga does not know',
  'saga.before-save': 'what came of a step is written, its COMMIT is not sent',
  'saga.after-save': 'what came of a step is committed, the next one has not begun',
  'outside.before-call': 'what is wanted of the outside world is committed, and not asked for',
  'outside.after-call': 'the outside world has answered, nothing is written down',
  'outside.after-record': 'what the outside world answered is committed',
  'task.before-commit': 'a background task has done its work, its COMMIT is not sent',
  'task.after-commit': 'a background task has committed, and has not gone on',
} as const

/** One of them. */
export type CrashPoint = keyof typeof crashPoints

/** What can be done to a process. */
export type CrashFault = 'kill' | 'stop' | 'lose' | 'fail'

/** What `FOLDER/hit/…` says: who had the fault, and of `lose` which statement's reply was lost, once it was. */
export interface CrashHit {
  readonly fault: CrashFault
  readonly pid: number
  readonly lost?: string
}

type Trap = (name: string) => void

let trap: Trap | undefined
/** The losses to come: each is told of its write. */
let losses: ((statement: string) => void)[] = []

/** A place of that name: `where` and `detail` tell it from others of the same point. Throws only for the fault `fail`. */
export function crashpoint(point: CrashPoint, where: string, detail?: string): void {
  if (trap !== undefined) trap(`${point}@${detail === undefined ? where : `${where}.${detail}`}`)
}

/** True when the reply to this statement, which is to be sent outside a transaction or ends one, must get lost. */
export function isReplyToLose(statement: string): boolean {
  if (losses.length === 0 || !isWrite(statement)) return false
  losses.shift()?.(statement)
  return true
}

/** Makes the crash points of this process follow the files in `folder`; undefined: they do nothing, as at the beginning. */
export function setCrashpoints(folder: string | undefined): void {
  losses = []
  trap = folder === undefined ? undefined : (name) => spring(folder, name)
}

function spring(folder: string, name: string): void {
  note(join(folder, 'seen'), name)
  const armed = join(folder, 'armed', name)
  if (!existsSync(armed)) return
  const hit = join(folder, 'hit', name)
  let fault: CrashFault
  try {
    fault = readFileSync(armed, 'utf8') as CrashFault
    if (fault !== 'fail') renameSync(armed, hit)
  } catch {
    // Somebody else was first.
    return
  }
  const tell = (more: object = {}): void => {
    writeFileSync(hit, JSON.stringify({ fault, pid: process.pid, ...more }))
  }
  tell()
  if (fault === 'kill') process.kill(process.pid, 'SIGKILL')
  if (fault === 'stop') process.kill(process.pid, 'SIGSTOP')
  if (fault === 'lose') losses.push((lost) => tell({ lost }))
  if (fault === 'fail') throw new FlotillaError('internal', `${name} fails, as it was told to.`)
}

function note(seen: string, name: string): void {
  const path = join(seen, name)
  try {
    if (existsSync(seen) && !existsSync(path)) writeFileSync(path, '')
  } catch (error) {
    // Taken away a moment ago: nobody wants to know any more.
    if (existsSync(seen)) throw error
  }
}

/** Leases renew themselves again and again: losing a reply of theirs would show nothing. */
function isWrite(statement: string): boolean {
  if (/^\s*(?:insert into|update|delete from) flotilla\.(?:worker|relay)\b/.test(statement)) return false
  return /^\s*(?:commit|insert|update|delete|select append_events|with\b[\s\S]*\b(?:insert into|update|delete from)\b)/i.test(
    statement,
  )
}
