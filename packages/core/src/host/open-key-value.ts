/**
 * Where the values are that instances of a service share: in Redis if there is one, or else in the registry, or else, where a
 * process is alone, in its memory.
 *
 * @module
 */
import type { Calls } from '../contract/calls.ts'
import type { KeyValue } from '../key-value/key-value.ts'
import { MemoryKeyValue } from '../key-value/memory-key-value.ts'
import { RegistryKeyValue } from '../key-value/registry-key-value.ts'
import type { registryContract } from '../registry/contract.ts'
import type { HostParts } from './parts.ts'

/** Gives each service its own; `registry` are the registry's functions as a service calls them. */
export async function openKeyValue(
  { app, settings, ports, closing }: HostParts,
  registry: ((service: string) => Calls<typeof registryContract>) | undefined,
): Promise<(service: string) => KeyValue> {
  if (settings.keyValue !== '') {
    const { openRedis } = await import('../key-value/redis-key-value.ts')
    const redis = openRedis(settings.keyValue)
    closing.defer('Redis', () => redis.close())
    return (service) => redis.keyValue(`flotilla:${app.name}:${service}:`)
  }
  if (registry !== undefined) return (service) => new RegistryKeyValue(() => registry(service))
  return () => new MemoryKeyValue(ports.clock)
}
