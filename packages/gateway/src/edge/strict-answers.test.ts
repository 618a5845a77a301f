/**
 * Reads what came over a connection as answers of HTTP/1.1, and takes nothing that is not exactly that. Only for tests, and apart from
 * what the gateway itself is made of.
 *
 * @source RFC 9112, 2 to 6
 * @module
 */

/** An answer. */
export interface StrictAnswer {
  readonly status: number
  /** Names in small letters. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** The answers on a connection. */
export interface StrictAnswers {
  /** Whole ones, in order; those with a status below 200 are left out. */
  readonly answers: readonly StrictAnswer[]
  /** Statuses below 200. */
  readonly interim: readonly number[]
  /** What is wrong with the bytes; undefined when they are whole answers and nothing else. */
  readonly wrong: string | undefined
}

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d) [\x20-\x7e]*$/
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ([\x20-\x7e]*)$/

/** @param isHead whether the request that this answer answers is a HEAD, whose answers have no body. */
export function readAnswers(text: string, isHead: (index: number) => boolean): StrictAnswers {
  const answers: StrictAnswer[] = []
  const interim: number[] = []
  let rest = text
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) return { answers, interim, wrong: `a head without an end: ${rest.slice(0, 80)}` }
    const head = readAnswerHead(rest.slice(0, end))
    if (typeof head === 'string') return { answers, interim, wrong: head }
    rest = rest.slice(end + 4)
    if (head.status < 200) {
      interim.push(head.status)
      continue
    }
    const length = bodyLength(head, isHead(answers.length), rest.length)
    if (typeof length === 'string') return { answers, interim, wrong: length }
    if (rest.length < length)
      return { answers, interim, wrong: `a body of ${rest.length} bytes, not ${length}` }
    answers.push({ ...head, body: rest.slice(0, length) })
    rest = rest.slice(length)
    if (head.headers.get('connection') === 'close' && rest !== '')
      return { answers, interim, wrong: `bytes after the last answer: ${rest.slice(0, 80)}` }
  }
  return { answers, interim, wrong: undefined }
}

type AnswerHead = Omit<StrictAnswer, 'body'>

function readAnswerHead(text: string): AnswerHead | string {
  const [first = '', ...lines] = text.split('\r\n')
  const status = STATUS_LINE.exec(first)?.[1]
  if (status === undefined) return `not a status line: ${first.slice(0, 80)}`
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name = '', value = ''] = FIELD.exec(line) ?? []
    if (name === '') return `not a field: ${line.slice(0, 80)}`
    const small = name.toLowerCase()
    if (headers.has(small)) return `a field twice: ${small}`
    headers.set(small, value)
  }
  return { status: Number(status), headers }
}

function bodyLength({ status, headers }: AnswerHead, isHead: boolean, left: number): number | string {
  const length = headers.get('content-length')
  if (headers.has('transfer-encoding')) return 'an answer in chunks'
  if (status === 204 || status === 304) return length === undefined ? 0 : `a ${status} with a length`
  if (length === undefined || !/^\d+$/.test(length)) return `an answer of the length ${length}`
  // What refuses a head that could not be read knows no method; it is the last, and cannot be taken for another.
  const isBlind = status === 400 && headers.get('connection') === 'close' && left === Number(length)
  return isHead && !isBlind ? 0 : Number(length)
}
