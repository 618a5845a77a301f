/**
 * Somebody who stops the server when we cannot: a shell that waits at the other end of a pipe.
 *
 * The system closes our end when this process ends, however it ends. Then the shell looks whether the server still runs,
 * and stops it if so: a fast shutdown, after ten seconds an immediate one. Until then it does nothing at all. When
 * the server ends first, we close our end, and the shell finds nothing to do.
 *
 * It has a session of its own, so that Ctrl-C in the terminal does not reach it, ignores the signals that commonly end
 * a group of processes, and holds nothing else: its outputs and its folder are nowhere in particular.
 *
 * Its process number is kept in a file: while a watchdog lives, the server has a supervisor, or had one a moment ago.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { isAlive, pidFilePath } from './postmaster.ts'

/**
 * `$1`: the server's process number. `$2`: its postmaster.pid, which holds that number while the server runs. One that
 * holds another number belongs to a server that is none of our business. A process that has ended but was never
 * collected (state Z) is gone, whatever `kill -0` says; where there is no /proc, somebody collects.
 */
const SCRIPT = `
trap '' HUP INT TERM
read -r nothing
is_running() {
  read -r pid < "$2" && [ "$pid" != "$1" ] && return 1
  if [ -d /proc/self ]; then read -r _ _ state _ < "/proc/$1/stat" && [ "$state" != Z ]; else kill -0 "$1"; fi
}
stop() {
  is_running "$2" "$3" || exit 0
  kill -"$1" "$2"
  tries=100
  while [ $tries -gt 0 ]; do
    is_running "$2" "$3" || exit 0
    tries=$((tries - 1))
    sleep 0.1 || sleep 1
  done
}
stop INT "$1" "$2"
stop QUIT "$1" "$2"
stop KILL "$1" "$2"
`

/** A watchdog on duty. */
export interface Watchdog {
  /** Sends it home after the server has ended; one that runs would be stopped. Resolves when it has left. */
  dismiss(): Promise<void>
}

/** Puts a watchdog on the server `pid` of the cluster in `data`; its number goes into `folder`. */
export async function openWatchdog(folder: string, data: string, pid: number): Promise<Watchdog> {
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'flotilla-watchdog', String(pid), pidFilePath(data)], {
    detached: true,
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const left = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
  // If the watchdog is killed, so be it: there is nobody left to tell.
  child.stdin.on('error', () => {})
  // It must not keep this process from ending; being told of our end is its purpose.
  child.unref()
  ;(child.stdin as Socket).unref()
  await writeFile(numberFile(folder), String(child.pid))
  return {
    async dismiss() {
      child.ref()
      child.stdin.end()
      await left
      // The next one may be on duty already.
      if ((await numberIn(folder)) === child.pid) await rm(numberFile(folder), { force: true })
    },
  }
}

/** True while the watchdog of this or an earlier supervisor is on duty. */
export async function isWatched(folder: string, data: string): Promise<boolean> {
  const pid = await numberIn(folder)
  return pid > 0 && (await isAlive(pid, pidFilePath(data)))
}

/** 0 when there is none. */
async function numberIn(folder: string): Promise<number> {
  return Number(await readFile(numberFile(folder), 'utf8').catch(() => ''))
}

function numberFile(folder: string): string {
  return join(folder, 'watchdog.pid')
}
