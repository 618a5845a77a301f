/**
 * Processes that a comparison starts: each on a core where the system can pin, asked by messages, ended when it is over.
 *
 * @module
 */
import { execFileSync, fork, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

/** For what asks and what stands behind. */
export const OTHER_CORE = '0'
/** For what is measured. */
export const MEASURED_CORE = '1'

const TASKSET = '/usr/bin/taskset'
const isPinning = process.platform === 'linux' && cpus().length > 1 && existsSync(TASKSET)

/** Where a program comes from, when it is not there. */
const PACKAGES = {
  wrk: 'wrk',
  nginx: 'nginx-light',
  varnishd: 'varnish',
  'rabbitmq-server': 'rabbitmq-server',
}

/** Starts a file of this folder in a process of its own, with a line for messages; `core` undefined: on any. */
export function start(file, { args = [], core, env = {} } = {}) {
  const pinned =
    core === undefined || !isPinning ? {} : { execPath: TASKSET, execArgv: ['-c', core, process.execPath] }
  return fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    ...pinned,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

/** A program and its arguments, on a core. */
export function pinned(core, program, args) {
  return isPinning ? [TASKSET, ['-c', core, program, ...args]] : [program, args]
}

/** Starts a program; what it says goes nowhere, unless `isHeard`. */
export function startProgram(core, program, args, { isHeard = false } = {}) {
  return spawn(...pinned(core, program, args), {
    stdio: ['ignore', 'ignore', isHeard ? 'inherit' : 'ignore'],
  })
}

/** Starts a program on any core with this environment and no other; what it says goes nowhere. */
export function startChild(program, args, env) {
  return spawn(program, args, { env, stdio: 'ignore' })
}

/** The next message of a child; an error when it ends instead. */
export function answer(child) {
  return new Promise((resolve, reject) => {
    const onExit = (code) => reject(new Error(`a process ended with ${code}`))
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      resolve(message)
    })
  })
}

/** What a child answers to a message. */
export function ask(child, message) {
  const answered = answer(child)
  child.send(message)
  return answered
}

/** Ends a child, and waits until it has. */
export function ended(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', () => resolve())
    // A host ends by itself when nobody is left to tell it anything.
    if (child.connected) child.disconnect()
    else child.kill()
  })
}

/** A port of the loopback that nobody has just now. */
export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** Whether the programs are there; says of those that are not where to get them, and what goes without. */
export function hasPrograms(what, ...programs) {
  const missing = programs.filter((program) => !isThere(program))
  for (const program of missing)
    console.log(`not compared: ${what}; ${program} is missing (apt-get install ${PACKAGES[program]})`)
  return missing.length === 0
}

function isThere(program) {
  try {
    execFileSync('/bin/sh', ['-c', `PATH="$PATH:/usr/sbin" command -v ${program}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Until it holds, or for ten seconds. */
export async function until(what, holds, forMs = 10_000) {
  const endMs = performance.now() + forMs
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`not within ${forMs / 1_000} s: ${what}`)
    await pause(10)
  }
}

/** Waits. */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
