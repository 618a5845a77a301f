/**
 * gRPC by grpc-js, bare.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'
import grpc from '@grpc/grpc-js'
import loader from '@grpc/proto-loader'
import { input, output } from '../payload.mjs'

const definition = loader.loadSync(fileURLToPath(new URL('./bench.proto', import.meta.url)), {
  longs: Number,
})
const { Bench } = grpc.loadPackageDefinition(definition).bench

/** Opens the answering side. */
export function serve() {
  const server = new grpc.Server()
  server.addService(Bench.service, { quote: (_, callback) => callback(null, output) })
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error)
      else resolve({ port })
    })
  })
}

/** Opens the calling side. */
export async function connect({ port }) {
  const client = new Bench(`127.0.0.1:${port}`, grpc.credentials.createInsecure())
  return () =>
    new Promise((resolve, reject) => {
      client.quote(input, (error, answer) => {
        if (error) reject(error)
        else resolve(answer)
      })
    })
}
