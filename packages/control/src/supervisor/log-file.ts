/**
 * Where the output of one process slot goes. The process writes into the file itself, so its lines survive whatever happens to us,
 * and nothing has to pass through this process.
 *
 * @module
 */
import { closeSync, copyFileSync, fstatSync, ftruncateSync, openSync } from 'node:fs'

const BYTES_MAX = 16 * 1024 * 1024

/** An open log file with one older generation. */
export class LogFile {
  readonly path: string
  /** To be given to the process as its standard output. */
  readonly descriptor: number

  /** Appends to `path`. */
  constructor(path: string) {
    this.path = path
    this.descriptor = openSync(path, 'a', 0o600)
  }

  /**
   * Keeps it bounded: when it is long, its content becomes `<path>.1` and it starts over. The writer appends, so it goes on at the
   * new start; lines written between the two steps are lost.
   */
  rotateIfLong(): void {
    if (fstatSync(this.descriptor).size < BYTES_MAX) return
    try {
      copyFileSync(this.path, `${this.path}.1`)
    } catch {
      // The disk is full, or somebody removed the file: then there is no older generation. The bound matters more, and the supervisor must not fall over a log.
    }
    ftruncateSync(this.descriptor)
  }

  close(): void {
    closeSync(this.descriptor)
  }
}
