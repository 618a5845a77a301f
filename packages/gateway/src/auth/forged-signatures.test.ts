import {
  bytes,
  CLAIMS,
  ed,
  encoded,
  es256,
  type Forgeries,
  HEADER,
  KEYS,
  OLD,
  partners,
  ps256,
  refuses,
  rs256,
  type Sign,
  token,
  withClaims,
} from './forge.test.ts'

/** Of P-256. */
const ORDER = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'
/** Of Ed25519, as its signatures have numbers: the lowest byte first. */
const ED_ORDER = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn

const zero = Buffer.alloc(32)
const one = Buffer.from('01'.padStart(64, '0'), 'hex')
const order = Buffer.from(ORDER, 'hex')
/** Our good signature, changed. */
const changed =
  (change: (good: Buffer) => Buffer, signed: Sign = es256()): Sign =>
  (text) =>
    change(Buffer.from(signed(text)))
const flipped = (at: number) =>
  changed((good) => {
    good[at] = (good[at] as number) ^ 1
    return good
  })
const signed = (signature: Sign): Forgeries[string] => ['signature', token(HEADER, CLAIMS, signature)]
const inEd = (signature: Sign): Forgeries[string] => [
  'signature',
  partners({}, { alg: 'EdDSA', kid: 'ed' }, signature),
]
const inPs = (signature: Sign): Forgeries[string] => [
  'signature',
  partners({}, { alg: 'PS256', kid: 'ps' }, signature),
]
const inRs = (signature: Sign): Forgeries[string] => [
  'signature',
  token({ ...HEADER, alg: 'RS256', kid: 'rsa' }, { ...CLAIMS, iss: OLD, aud: 'old-shop' }, signature),
]

/** The same number beyond the order of the curve: a second way to write a signature, which is forbidden. */
function beyondOrder(good: Buffer): Buffer {
  const s = BigInt(`0x${Buffer.from(good.subarray(32)).reverse().toString('hex')}`) + ED_ORDER
  const late = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()
  return Buffer.concat([good.subarray(0, 32), late])
}

const signatures: Forgeries = {
  'zeros for r and s': signed(bytes(zero, zero)),
  'zero for r': signed(changed((good) => Buffer.concat([zero, good.subarray(32)]))),
  'zero for s': signed(changed((good) => Buffer.concat([good.subarray(0, 32), zero]))),
  'ones for r and s': signed(bytes(one, one)),
  'the order of the curve for r and s': signed(bytes(order, order)),
  'the order for r, one for s': signed(bytes(order, one)),
  'r and s of all ones': signed(bytes(Buffer.alloc(64, 255))),
  'r and s exchanged': signed(changed((good) => Buffer.concat([good.subarray(32), good.subarray(0, 32)]))),
  'r alone': signed(changed((good) => good.subarray(0, 32))),
  'a signature as DER': signed(es256(KEYS.ours.privateKey, 'der')),
  'zeros as DER': signed(bytes(Buffer.from('3006020100020100', 'hex'))),
  'a signature cut by a byte': signed(changed((good) => good.subarray(0, -1))),
  'a signature cut by half': signed(changed((good) => good.subarray(0, 48))),
  'a signature with a byte after it': signed(changed((good) => Buffer.concat([good, Buffer.alloc(1)]))),
  'a signature with a byte before it': signed(changed((good) => Buffer.concat([Buffer.alloc(1), good]))),
  'r and s with a zero before each': signed(
    changed((good) =>
      Buffer.concat([Buffer.alloc(1), good.subarray(0, 32), Buffer.alloc(1), good.subarray(32)]),
    ),
  ),
  'a signature twice': signed(changed((good) => Buffer.concat([good, good]))),
  'a signature of one byte': signed(bytes(Buffer.alloc(1))),
  'a bit changed in r': signed(flipped(0)),
  'a bit changed in s': signed(flipped(63)),
  'the signature of a stranger': signed(es256(KEYS.stranger.privateKey)),
  'the signature over another text': signed((text) => es256()(`${text} `)),
  'the signature over the claims alone': signed((text) => es256()(text.split('.')[1] as string)),
  'the signature over decoded parts': signed((text) =>
    es256()(Buffer.from(text, 'base64url').toString('latin1')),
  ),
  'a signature of four kilobytes': signed(bytes(Buffer.alloc(4_096, 1))),
  'EdDSA, beyond the order': inEd(changed(beyondOrder, ed())),
  'EdDSA, zeros': inEd(bytes(zero, zero)),
  'EdDSA, the neutral point and zero': inEd(bytes(Buffer.from(one).reverse(), zero)),
  'EdDSA, a byte more': inEd(changed((good) => Buffer.concat([good, Buffer.alloc(1)]), ed())),
  'EdDSA, of another key': inEd(ed(KEYS.otherEd.privateKey)),
  'PS256, with the padding of RS256': inPs(rs256(KEYS.ps.privateKey)),
  'PS256, without salt': inPs(ps256(KEYS.ps.privateKey, 0)),
  'PS256, with too much salt': inPs(ps256(KEYS.ps.privateKey, 64)),
  'PS256, zero': inPs(bytes(Buffer.alloc(256))),
  'PS256, a zero before it': inPs(changed((good) => Buffer.concat([Buffer.alloc(1), good]), ps256())),
  'PS256, of another key': inPs(ps256(KEYS.old.privateKey)),
  'RS256, with the padding of PS256': inRs(ps256(KEYS.old.privateKey)),
  'RS256, zero': inRs(bytes(Buffer.alloc(256))),
  'RS256, one': inRs(bytes(Buffer.alloc(255), Buffer.of(1))),
  'RS256, cut': inRs(changed((good) => good.subarray(0, 255), rs256())),
  'RS256, of another key': inRs(rs256(KEYS.ps.privateKey)),
}

const good = token()
const [head = '', body = '', signature = ''] = good.split('.')
const [, otherBody = ''] = withClaims({ sub: 'admin', roles: ['admin'] }).split('.')
const form = (text: string): Forgeries[string] => ['form', text]
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** `text` with a bit set at its end that decoders ignore. */
const spare = (text: string): string =>
  text.slice(0, -1) + ALPHABET[ALPHABET.indexOf(text.at(-1) as string) | 1]
/** One of ours whose claims end with bits to spare. */
const spared = ['', 'a', 'aa']
  .map((x) => withClaims({ x }))
  .find((text) => (text.split('.')[1] as string).length % 4 !== 0) as string
const [spareHead = '', spareBody = '', spareSignature = ''] = spared.split('.')

const parts: Forgeries = {
  'the signature of other claims': ['signature', `${head}.${otherBody}.${signature}`],
  'the signature under another header': ['signature', `${encoded({ ...HEADER, x: 1 })}.${body}.${signature}`],
  'the signature under a header written otherwise': [
    'signature',
    `${encoded(JSON.stringify(HEADER, undefined, 1))}.${body}.${signature}`,
  ],
  'no signature': form(`${head}.${body}.`),
  'two parts': form(`${head}.${body}`),
  'one part': form(head),
  nothing: form(''),
  dots: form('..'),
  'four dots': form('....'),
  'a dot before': form(`.${good}`),
  'a dot after': form(`${good}.`),
  'four parts': form(`${good}.${signature}`),
  'five parts, as encrypted ones have': form(`${good}.a.b`),
  'an encrypted token': form(`${encoded({ alg: 'dir', enc: 'A256GCM' })}..AAAA.AAAA.AAAA`),
  'JSON in place of the compact form': form(
    JSON.stringify({ payload: body, signatures: [{ protected: head, signature }] }),
  ),
  'bits to spare in the signature': form(`${head}.${body}.${spare(signature)}`),
  'bits to spare in the claims': form(`${spareHead}.${spare(spareBody)}.${spareSignature}`),
  'a letter alone at the end': form(`${head}.${body}.${signature}AAA`),
  'padding at the end': form(`${good}==`),
  'padding in the middle': form(`${head}=.${body}.${signature}`),
  'padding as %3D': form(`${good}%3D%3D`),
  'the other base64': form(`${head}.${body}.${signature.slice(0, -2)}+/`),
  'a space before': form(` ${good}`),
  'a space after': form(`${good} `),
  'a space within': form(`${head} .${body}.${signature}`),
  'a tab within': form(`${head}.${body}\t.${signature}`),
  'a line end after': form(`${good}\n`),
  'lines, as in PEM': form(`${head}.${body.slice(0, 64)}\r\n${body.slice(64)}.${signature}`),
  'a NUL after': form(`${good}\0`),
  'a NUL and another token after': form(`${good}\0${good}`),
  'two tokens with a comma': form(`${good},${good}`),
  'two tokens with a space': form(`${good} ${good}`),
  'its scheme twice': form(`Bearer ${good}`),
  quotes: form(`"${good}"`),
  'letters beyond ASCII': form(`${good}é`),
  'dots beyond ASCII': form(`${head}．${body}．${signature}`),
  'full-width letters': form(`${String.fromCharCode(head.charCodeAt(0) + 0xfee0)}${good.slice(1)}`),
  'a letter that takes no room': form(`${good}\u200b`),
  'a tilde and a disclosure, as SD-JWT has': form(`${good}~`),
  'more than 8 KiB': ['size', withClaims({ x: 'a'.repeat(8_192) })],
  'a megabyte of letters': ['size', 'a'.repeat(1_000_000)],
  'a megabyte of dots': ['size', '.'.repeat(1_000_000)],
}

refuses('a signature', signatures)
refuses('a text', parts)
