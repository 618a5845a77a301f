/**
 * Answers made smaller for who takes them so.
 *
 * Only what is the same for everybody, unless the operator says otherwise of a route: how well a secret compresses beside what somebody
 * else has put into the request tells of the secret (BREACH). Pages and kept answers are made smaller once, others each time they are
 * sent; where too much of that is under way already, an answer goes out as it is.
 *
 * @source RFC 9110, 8.4 and 12.5.3; https://www.breachattack.com
 * @module
 */
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Counter, Family, Metrics } from '@flotilla/core/metrics'
import type { Answer } from './answer.ts'

/** How an answer can be encoded, the best first. */
const ENCODINGS = ['br', 'gzip'] as const
type Encoding = (typeof ENCODINGS)[number]

/** Below this the head weighs more than what is saved. */
const BYTES_MIN = 1_024
const BYTES_MAX = 8 * 1024 * 1024
const TYPES = /^(?:text\/|application\/(?:[a-z.+-]+\+)?json)/
/** At the same time; the pool that does it has four threads, which files and names need, too. */
const UNDER_WAY_MAX = 8

/** For answers that are made for one request: most of what the best could save, at a tenth of its price. */
const FAST = { br: 4, gzip: 6 }
/** For those that are sent many times. */
const GOOD = { br: 9, gzip: 9 }

/** Makes answers smaller. */
export class Compression {
  readonly #bytes: Family<Counter>
  readonly #kept = new WeakMap<object, Map<Encoding, Promise<Uint8Array>>>()
  #underWay = 0

  constructor(metrics: Metrics) {
    this.#bytes = metrics.counter(
      'flotilla_gateway_compressed_bytes_total',
      'Bytes of answers that were sent compressed: before, and after.',
      ['encoding', 'when'],
    )
  }

  /**
   * The answer as it is to be sent to who accepts `acceptEncoding`.
   *
   * @param wanted what the operator says of such answers; absent: what is for everybody
   */
  of(answer: Answer, acceptEncoding: string | undefined, wanted?: boolean): Answer | Promise<Answer> {
    const { body, contentType = '', cacheControl } = answer
    const isWanted = wanted ?? cacheControl.startsWith('public')
    if (!isWanted || body.length < BYTES_MIN || body.length > BYTES_MAX || !TYPES.test(contentType))
      return answer
    const varying = { ...answer, headers: [...answer.headers, 'vary', 'Accept-Encoding'] }
    const encoding = encodingFor(acceptEncoding)
    if (encoding === undefined) return varying
    const smaller = this.#smaller(answer, encoding)
    return smaller?.then((bytes) => this.#encoded(varying, encoding, bytes)) ?? varying
  }

  #encoded(answer: Answer, encoding: Encoding, body: Uint8Array): Answer {
    const before = Buffer.byteLength(answer.body)
    if (body.length >= before) return answer
    this.#bytes.with(encoding, 'before').add(before)
    this.#bytes.with(encoding, 'after').add(body.length)
    const headers = answer.headers.map((value, index) =>
      // Another representation: its bytes are not those that the tag stands for.
      index % 2 === 1 && answer.headers[index - 1] === 'etag' && !value.startsWith('W/')
        ? `W/${value}`
        : value,
    )
    return { ...answer, body, headers: [...headers, 'content-encoding', encoding] }
  }

  /** Undefined: not now. */
  #smaller({ body, same }: Answer, encoding: Encoding): Promise<Uint8Array> | undefined {
    const kept = same && this.#kept.get(same)?.get(encoding)
    if (kept !== undefined) return kept
    if (this.#underWay >= UNDER_WAY_MAX) return undefined
    this.#underWay++
    const smaller = compress(body, encoding, same === undefined ? FAST : GOOD).finally(() => {
      this.#underWay--
    })
    if (same !== undefined) {
      const its = this.#kept.get(same) ?? new Map<Encoding, Promise<Uint8Array>>()
      this.#kept.set(same, its.set(encoding, smaller))
      // Whoever asked is told; the next one tries again.
      smaller.catch(() => its.delete(encoding))
    }
    return smaller
  }
}

const toBrotli = promisify(brotliCompress)
const toGzip = promisify(gzip)
const compressors = {
  br: (body: string | Uint8Array, level: number) =>
    toBrotli(body, { params: { [constants.BROTLI_PARAM_QUALITY]: level } }),
  gzip: (body: string | Uint8Array, level: number) => toGzip(body, { level }),
}

function compress(
  body: string | Uint8Array,
  encoding: Encoding,
  levels: Readonly<Record<Encoding, number>>,
): Promise<Uint8Array> {
  return compressors[encoding](body, levels[encoding])
}

/** The best of what is accepted; undefined: none of ours. */
export function encodingFor(acceptEncoding: string | undefined): Encoding | undefined {
  if (acceptEncoding === undefined) return undefined
  const weights = new Map(acceptEncoding.toLowerCase().split(',').map(weighed))
  let best: Encoding | undefined
  let weight = 0
  for (const encoding of ENCODINGS) {
    const its = weights.get(encoding) ?? weights.get('*') ?? 0
    if (its > weight) {
      best = encoding
      weight = its
    }
  }
  return best
}

const WEIGHT = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

/** `gzip;q=0.5`; one that is not written so counts as not accepted. */
function weighed(text: string): readonly [name: string, weight: number] {
  const [name = '', ...parameters] = text.split(';').map((part) => part.trim())
  if (parameters.length === 0) return [name, 1]
  const [, weight = '0'] = (parameters.length === 1 && WEIGHT.exec(parameters[0] as string)) || []
  return [name, Number(weight)]
}
