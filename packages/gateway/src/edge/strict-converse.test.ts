/**
 * A conversation on one connection: bytes are sent in pieces, and what comes back is kept until there is enough of it.
 *
 * @module
 */
import { connect } from 'node:net'
import { systemClock } from '@flotilla/core/clock'
import { readAnswers, type StrictAnswers } from './strict-answers.test.ts'
import type { ReadRequests } from './strict-reader.test.ts'

/** After which we hang up on a gateway that waits where the second reading sees no reason to. */
const HANG_UP_MS = 4_000

/** What came of one connection. */
export interface Outcome {
  readonly text: string
  /** The gateway cut the connection: what it said last may be lost. */
  readonly isCut: boolean
  readonly isLate: boolean
}

/** Sends pieces, each in a write of its own, and hangs up when `isEnough`. */
export function converse(
  port: number,
  pieces: readonly string[],
  isEnough: (text: string) => boolean,
  hangUpMs: number = HANG_UP_MS,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let text = ''
    let isCut = false
    let isLate = false
    let isSent = false
    const timer = systemClock.schedule(hangUpMs, () => {
      isLate = true
      socket.end()
    })
    const endWhenEnough = (): void => {
      if (isSent && isEnough(text)) socket.end()
    }
    const write = (index: number): void => {
      const piece = pieces[index]
      if (piece !== undefined && socket.writable) {
        socket.write(piece, 'latin1')
        setImmediate(write, index + 1)
        return
      }
      isSent = true
      endWhenEnough()
    }
    socket.on('connect', () => write(0))
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      endWhenEnough()
    })
    socket.on('error', () => {
      isCut = true
    })
    socket.on('close', () => {
      timer.cancel()
      resolve({ text, isCut, isLate })
    })
  })
}

/** True when no more than these answers are to come; where the bytes end badly it is the other side that ends the connection. */
export function isAnswered({ requests, end }: ReadRequests, text: string): boolean {
  const isHead = (index: number): boolean => requests[index]?.method === 'HEAD'
  return end !== 'wrong' && end !== 'closed' && readAnswers(text, isHead).answers.length >= requests.length
}

/** What came back, read as answers to these requests. */
export function answersTo({ requests }: ReadRequests, text: string): StrictAnswers {
  const isHead = (index: number): boolean => requests[index]?.method === 'HEAD'
  const asGet = readAnswers(text, isHead)
  if (asGet.wrong === undefined) return asGet
  // The method of what cannot be read may be HEAD, where the gateway understood so much.
  return readAnswers(text, (index) => isHead(index) || index >= requests.length)
}

/** How many answers there may be: one for each request, and one for what is none. */
export function answersMax({ requests, end }: ReadRequests): number {
  return requests.length + (end === 'wrong' || end === 'within' ? 1 : 0)
}
