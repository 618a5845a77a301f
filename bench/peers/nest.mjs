/**
 * NestJS microservices over TCP, bare.
 *
 * @module
 */
import 'reflect-metadata'
import { Controller, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices'
import { firstValueFrom } from 'rxjs'
import { input, output } from '../payload.mjs'

class BenchController {
  quote() {
    return output
  }
}
// What the decorators would do, which plain JavaScript does not have.
Controller()(BenchController)
MessagePattern('quote')(
  BenchController.prototype,
  'quote',
  Object.getOwnPropertyDescriptor(BenchController.prototype, 'quote'),
)

class BenchModule {}
Module({ controllers: [BenchController] })(BenchModule)

const PORT = 14_873

/** Opens the answering side. */
export async function serve() {
  const options = { transport: Transport.TCP, options: { host: '127.0.0.1', port: PORT }, logger: false }
  const app = await NestFactory.createMicroservice(BenchModule, options)
  await app.listen()
  return {}
}

/** Opens the calling side. */
export async function connect() {
  const client = ClientProxyFactory.create({
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port: PORT },
  })
  await client.connect()
  return () => firstValueFrom(client.send('quote', input))
}
