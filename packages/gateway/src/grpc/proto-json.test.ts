import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { isFlotillaError } from '@flotilla/core/error'
import fc from 'fast-check'
import { readMessage } from './json-reader.ts'
import { writeMessage } from './json-writer.ts'
import { readProto } from './proto-file.ts'
import type { MessageShape } from './shape.ts'

const TEXT = `syntax = "proto3";
package laws;
import "google/protobuf/duration.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
message All {
  double a = 1; float b = 2; int32 c = 3; uint32 d = 4; sint32 e = 5; fixed32 f = 6; sfixed32 g = 7;
  int64 h = 8; uint64 i = 9; sint64 j = 10; fixed64 k = 11; sfixed64 l = 12;
  bool m = 13; string n = 14; bytes o = 15; repeated int64 p = 16; All q = 17;
  map<string, bytes> r = 18; map<uint64, string> s = 19; map<sfixed64, int32> t = 20; map<bool, string> u = 21;
  google.protobuf.Timestamp v = 22; google.protobuf.Duration w = 23; google.protobuf.Value x = 24;
}
service Laws { rpc Keep(All) returns (All); }`
const OLD = `syntax = "proto2";
package laws;
message Old { required string name = 1; optional int32 count = 2 [default = 7]; }
service Laws { rpc Keep(Old) returns (Old); }`

describe('Messages as JSON', () => {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-proto-'))
  const shapes = new Map<string, MessageShape>()
  before(async () => {
    for (const [name, text] of [
      ['all.proto', TEXT],
      ['old.proto', OLD],
    ] as const) {
      writeFileSync(join(folder, name), text)
      const method = (await readProto(join(folder, name))).methods.get('laws.Laws/Keep')
      if (method !== undefined) shapes.set(name, method.input)
    }
  })
  after(() => rmSync(folder, { recursive: true }))
  const kept = (json: unknown, name = 'all.proto'): unknown => {
    const shape = shapes.get(name) as MessageShape
    return writeMessage(shape, shape.decode(shape.encode(readMessage(shape, json))))
  }

  it('are the same after they were bytes', () => {
    const whole = (min: bigint, max: bigint) => fc.bigInt(min, max)
    const small = (signed: boolean) => (signed ? fc.integer() : fc.integer({ min: 0, max: 2 ** 32 - 1 }))
    const long = (signed: boolean) =>
      (signed ? whole(-(2n ** 63n), 2n ** 63n - 1n) : whole(0n, 2n ** 64n - 1n)).map(String)
    const text = fc.string({ unit: 'grapheme', maxLength: 20 })
    const bytes = fc.uint8Array({ maxLength: 20 }).map((its) => Buffer.from(its).toString('base64'))
    const double = fc.double({ noNaN: true, noDefaultInfinity: true })
    const time = fc
      .tuple(
        fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }),
        fc.constantFrom('', '.500', '.000001', '.000000001'),
      )
      .map(([seconds, part]) => `${new Date(seconds * 1000).toISOString().slice(0, 19)}${part}Z`)
    const flat = {
      ...{
        a: double,
        b: fc.float({ noNaN: true, noDefaultInfinity: true }).map((its) => Number(its.toPrecision(6))),
      },
      ...{ c: small(true), d: small(false), e: small(true), f: small(false), g: small(true) },
      ...{ h: long(true), i: long(false), j: long(true), k: long(false), l: long(true) },
      ...{ m: fc.boolean(), n: text, o: bytes, p: fc.array(long(true), { maxLength: 3 }) },
      r: fc.dictionary(
        text.filter((name) => name !== '__proto__'),
        bytes,
        { maxKeys: 3 },
      ),
      s: fc.dictionary(long(false), text, { maxKeys: 3 }),
      t: fc.dictionary(long(true), small(true), { maxKeys: 3 }),
      u: fc.dictionary(fc.constantFrom('true', 'false'), text),
      ...{ v: time, w: fc.constantFrom('0s', '-0.500s', '1.000000001s', '-315576000000s') },
      x: fc.jsonValue(),
    }
    const all = fc.record({ ...flat, q: fc.record(flat) })
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
    fc.assert(
      fc.property(all, (json) => assert.deepEqual(plain(kept(json)), plain(json))),
      { numRuns: 300 },
    )
  })

  it('are read whatever they are, or refused', () => {
    fc.assert(
      fc.property(
        fc.record({ c: fc.jsonValue(), p: fc.jsonValue(), q: fc.jsonValue(), s: fc.jsonValue() }),
        (json) => {
          try {
            kept(json)
          } catch (error) {
            assert.ok(isFlotillaError(error) && (error.issues?.length ?? 0) > 0)
          }
        },
      ),
    )
  })

  it('have what proto2 wants', () => {
    assert.deepEqual(kept({ name: 'a' }, 'old.proto'), { name: 'a' })
    assert.deepEqual(kept({ name: 'a', count: 0 }, 'old.proto'), { name: 'a', count: 0 })
    assert.throws(() => kept({ count: 1 }, 'old.proto'), /\/name is needed/)
  })

  it('tell of no more than twenty mistakes', () => {
    const json = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`no${index}`, 1]))
    assert.throws(
      () => kept(json),
      (error) => isFlotillaError(error) && error.issues?.length === 20,
    )
  })
})
