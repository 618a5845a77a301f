/**
 * Encryption of what must not be readable to whoever reads the database: AES-256-GCM with a key that is not in it.
 *
 * @source NIST SP 800-38D; RFC 5869 (HKDF)
 * @module
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { FlotillaError } from '@flotilla/core/error'
import type { Random } from '@flotilla/core/random'

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Seals and opens with one secret. */
export class Seal {
  readonly #key: Buffer
  readonly #random: Random

  /** @param secret has 128 random bits or more, in any form. */
  constructor(secret: string, random: Random) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, '', 'flotilla shop auth: seal', KEY_BYTES))
    this.#random = random
  }

  /** @param name of what is sealed: it opens under this name only, so rows cannot be swapped. */
  seal(text: string, name: string): Buffer {
    const nonce = this.#random.bytes(NONCE_BYTES)
    const cipher = createCipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(Buffer.from(name))
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), body])
  }

  /** @throws FlotillaError `failed_precondition` when it was sealed with another secret or under another name, or changed since. */
  open(sealed: Buffer, name: string): string {
    try {
      const nonce = sealed.subarray(0, NONCE_BYTES)
      const decipher = createDecipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES })
      decipher.setAAD(Buffer.from(name))
      decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
      const body = sealed.subarray(NONCE_BYTES + TAG_BYTES)
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
    } catch (cause) {
      throw new FlotillaError(
        'failed_precondition',
        'What is sealed in the database does not open with this sealing key.',
        { cause },
      )
    }
  }
}
