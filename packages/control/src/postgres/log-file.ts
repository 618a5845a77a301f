/**
 * The server's log: one file, and one before it.
 *
 * The server writes to an open file and goes on doing so when it outlives us; so the file is not renamed under it but
 * copied and cut. Checked every ten seconds: what a server can write in between is the only excess.
 *
 * @module
 */
import { constants } from 'node:fs'
import { copyFile, type FileHandle, open, truncate } from 'node:fs/promises'
import type { Clock, Timer } from '@flotilla/core/clock'

const BYTES_MAX = 8 * 1024 * 1024
const CHECK_MS = 10_000
const TAIL_BYTES = 4_096

/** An open log. */
export interface LogFile {
  /** To be inherited by the server. */
  readonly fd: number
  /** The last lines written since it was opened. */
  tail(): Promise<string>
  close(): Promise<void>
}

/** Opens the log at `path` to be written at its end. */
export async function openLogFile(path: string, clock: Clock, bytesMax = BYTES_MAX): Promise<LogFile> {
  await cut(path, bytesMax)
  const file = await open(path, constants.O_APPEND | constants.O_CREAT | constants.O_RDWR, 0o600)
  const { size: startBytes } = await file.stat()
  let isClosed = false
  let timer: Timer
  const checkLater = (): void => {
    timer = clock.schedule(CHECK_MS, () => {
      // A full disk or a removed file must not take the server down with the check of its log.
      cut(path, bytesMax)
        .catch(() => {})
        .finally(() => {
          if (!isClosed) checkLater()
        })
    })
  }
  checkLater()
  return {
    fd: file.fd,
    tail: () => readTail(file, startBytes),
    async close() {
      isClosed = true
      timer.cancel()
      await file.close()
    },
  }
}

async function cut(path: string, bytesMax: number): Promise<void> {
  const file = await open(path, 'a', 0o600)
  const { size } = await file.stat().finally(() => file.close())
  if (size <= bytesMax) return
  await copyFile(path, `${path}.1`)
  await truncate(path, 0)
}

async function readTail(file: FileHandle, startBytes: number): Promise<string> {
  const { size } = await file.stat()
  const from = Math.max(startBytes, size - TAIL_BYTES)
  const buffer = Buffer.alloc(Math.max(0, size - from))
  await file.read(buffer, 0, buffer.length, from)
  return buffer.toString('utf8')
}
