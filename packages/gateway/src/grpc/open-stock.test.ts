/**
 * A gRPC server for tests, made with another reader of .proto files than the gateway's.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import {
  loadPackageDefinition,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceClientConstructor,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

const KINDS = `syntax = "proto3";
package acme.kinds;
enum Kind { UNKNOWN = 0; BOOK = 1; TOY = 2; }
message Place { string city = 1; Inner inner = 2; message Inner { int32 shelf_number = 1; } }`

const STOCK = `syntax = "proto3";
package acme;
import "google/api/annotations.proto";
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "parts/kinds.proto";

message Item {
  string sku = 1; int32 count = 2; int64 total = 3; uint64 size = 4; kinds.Kind kind = 5;
  repeated string labels = 6; map<string, int32> by_town = 7; Item parent = 8; kinds.Place place = 9;
  bool is_new = 10; bytes picture = 11; float weight = 12; double price = 13; optional int32 rank = 14;
  oneof owner { string person = 15; int64 company = 16; }
  google.protobuf.Timestamp at = 17; google.protobuf.Duration lasts = 18; google.protobuf.FieldMask mask = 19;
  google.protobuf.Struct extra = 20; google.protobuf.Value any_json = 21; google.protobuf.ListValue some = 22;
  google.protobuf.Int64Value maybe = 23; google.protobuf.BoolValue perhaps = 24; google.protobuf.Any whatever = 25;
  map<int64, Item> by_id = 26; map<bool, string> by_truth = 27; repeated kinds.Kind all_kinds = 28;
  string odd_name = 29 [json_name = "odd"]; repeated int64 numbers = 30; sint32 below = 31; fixed64 fixed = 32;
  map<sint32, string> by_depth = 33; google.protobuf.NullValue nothing = 34; repeated Item children = 35;
  repeated double doubles = 36;
}
message Ask { string sku = 1; int32 code = 2; string say = 3; int32 times = 4; int32 bytes = 5; Item item = 6; bool cut = 7; }
message Seen { map<string, string> metadata = 1; string peer = 2; bool has_deadline = 3; }
service Stock {
  rpc Echo(Item) returns (Item) {
    option (google.api.http) = {
      get: "/annotated/items/{sku}"
      additional_bindings { post: "/annotated/items" body: "*" }
      additional_bindings { patch: "/annotated/items/{sku}" body: "parent" response_body: "parent" }
      additional_bindings { post: "/annotated/{sku=shelves/*/books/*}:move" body: "*" }
      additional_bindings { get: "/annotated/all/{sku=**}" }
    };
  }
  rpc Fail(Ask) returns (Item);
  rpc Slow(Ask) returns (Item);
  rpc Big(Ask) returns (Item);
  rpc WhoAsks(google.protobuf.Empty) returns (Seen);
  rpc Watch(Ask) returns (stream Item) { option (google.api.http).get = "/annotated/watch"; }
  rpc Collect(stream Item) returns (Item);
}`

/** A server that is asked. */
export interface Stock {
  readonly origin: string
  /** Names of the methods that were called, in order. */
  readonly calls: readonly string[]
  /** How many calls were given up by who asked. */
  readonly canceled: () => number
  close(): void
}

interface Ask {
  readonly sku: string
  readonly code: number
  readonly say: string
  readonly times: number
  readonly bytes: number
  readonly cut: boolean
}

/** Writes the .proto files; the first is `stock.proto`. */
export function writeProtos(folder: string): void {
  mkdirSync(join(folder, 'parts'), { recursive: true })
  writeFileSync(join(folder, 'parts/kinds.proto'), KINDS)
  writeFileSync(join(folder, 'stock.proto'), STOCK)
}

/** Opens it on a port of its own; it speaks plain text unless `credentials` are for more. */
export async function openStock(
  folder: string,
  credentials: ServerCredentials = ServerCredentials.createInsecure(),
): Promise<Stock> {
  const withGoogle = dirname(createRequire(import.meta.url).resolve('protobufjs/package.json'))
  const definition = loadSync('stock.proto', {
    includeDirs: [folder, withGoogle],
    keepCase: true,
    longs: String,
  })
  const { Stock } = loadPackageDefinition(definition)['acme'] as unknown as {
    Stock: ServiceClientConstructor
  }
  const calls: string[] = []
  let canceled = 0
  const unary =
    <T>(
      name: string,
      handle: (ask: T, call: ServerUnaryCall<T, unknown>, end: sendUnaryData<unknown>) => void,
    ) =>
    (call: ServerUnaryCall<T, unknown>, end: sendUnaryData<unknown>): void => {
      calls.push(name)
      handle(call.request, call, end)
    }
  const server = new Server({ 'grpc.max_send_message_length': -1, 'grpc.max_receive_message_length': -1 })
  server.addService(Stock.service, {
    Echo: unary('Echo', (item, _, end) => end(null, item)),
    Fail: unary<Ask>('Fail', ({ code, say }, _, end) => end({ code, details: say })),
    Slow: unary<Ask>('Slow', (_, call) => void call.on('cancelled', () => canceled++)),
    Big: unary<Ask>('Big', ({ bytes }, _, end) => end(null, { sku: 'x'.repeat(bytes) })),
    WhoAsks: unary('WhoAsks', (_, call, end) =>
      end(null, seenBy(call.metadata, call.getPeer(), call.getDeadline())),
    ),
    Watch(call: ServerWritableStream<Ask, unknown>) {
      calls.push('Watch')
      const { times, code, say, cut, sku } = call.request
      for (let count = 1; count <= times; count++) call.write({ sku, count, total: String(count) })
      if (code > 0) call.emit('error', { code, details: say })
      // It is told so of calls that have ended, too.
      else if (cut) call.on('cancelled', () => canceled++)
      else call.end()
    },
    Collect: (_: unknown, end: sendUnaryData<unknown>) => end(null, {}),
  })
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, its) =>
      error === null ? resolve(its) : reject(error),
    ),
  )
  return {
    origin: `${credentials._isSecure() ? 'https' : 'http'}://127.0.0.1:${port}`,
    calls,
    canceled: () => canceled,
    close: () => server.forceShutdown(),
  }
}

function seenBy(metadata: Metadata, peer: string, deadline: Date | number): unknown {
  const texts = Object.entries(metadata.getMap()).map(([name, value]) => [name, String(value)])
  return { metadata: Object.fromEntries(texts), peer, has_deadline: Number.isFinite(Number(deadline)) }
}
