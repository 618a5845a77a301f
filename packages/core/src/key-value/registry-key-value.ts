/**
 * The key-value port as the registry holds it: every process of a system reaches that, and there is one.
 *
 * @module
 */
import type { CallOptions, Calls } from '../contract/calls.ts'
import type { registryContract } from '../registry/contract.ts'
import type { Grant } from '../resilience/token-bucket.ts'
import { KEY_VALUE_MS_MAX, type KeyValue, type Tokens } from './key-value.ts'

/** Whoever waits has something else to go by when the registry is busy with what nobody else can do. */
const OPTIONS: CallOptions = { timeoutMs: KEY_VALUE_MS_MAX, criticality: 'sheddable_plus' }

/** Keeps values in the registry, apart from those of other services. */
export class RegistryKeyValue implements KeyValue {
  readonly #calls: () => Calls<typeof registryContract>

  /** `calls`: the registry's functions, as the service calls them. */
  constructor(calls: () => Calls<typeof registryContract>) {
    this.#calls = calls
  }

  async take(wish: Tokens): Promise<Grant> {
    return await this.#calls().takeTokens(wish, OPTIONS)
  }

  async giveBack(rests: readonly Tokens[]): Promise<void> {
    await this.#calls().giveBackTokens({ rests: [...rests] }, OPTIONS)
  }
}
