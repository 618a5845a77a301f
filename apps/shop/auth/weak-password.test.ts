import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '@flotilla/core/random'
import { isWeakPassword } from './weak-password.ts'

const ann = { email: 'ann.lee@example.org', name: 'Ann-Marie Lee' }

describe('isWeakPassword', () => {
  it('refuses what is built from famous passwords, rows, runs, repetitions and the owner', () => {
    const weak = [
      'passwordpassword',
      'Password12345678',
      'P@ssw0rdP@ssw0rd1!',
      'qwertyuiop123456',
      '1q2w3e4r5t6y7u8i',
      '123456789012345',
      '987654321098765',
      'abcdefghijklmnopqrstuvwxyz',
      'aaaaaaaaaaaaaaaa',
      'abababababababab',
      'x7Qx7Qx7Qx7Qx7Qx7Q',
      'ann.lee@example.org',
      'annmarieleeannmarie',
      'Ann-Marie Lee 1984',
      'flotilla shop 2026!',
      'iloveyou iloveyou',
      'correcthorsebatterystaple',
      'Welcome2026 Welcome',
      '               ',
    ]
    for (const password of weak) assert.equal(isWeakPassword(password, ann), true, password)
  })

  it('takes what leaves enough to guess', () => {
    const good = [
      'seven otters juggling',
      'the password of the tests',
      'the long password of ann',
      'tr0ub4dor&3 and then some',
      'Übermäßig müde Dächer',
      'ゆきがふるよるにねこがなく',
    ]
    for (const password of good) assert.equal(isWeakPassword(password, ann), false, password)
  })

  it('takes random ones, and refuses a short secret however often it is repeated', () => {
    const random = seededRandom(42)
    for (let turn = 0; turn < 2_000; turn++) {
      const text = Buffer.from(random.bytes(18)).toString('base64url')
      assert.equal(isWeakPassword(text, ann), false, text)
      const short = text.slice(0, 1 + (turn % 5))
      assert.equal(isWeakPassword(short.repeat(15), ann), true, short)
    }
  })

  it('answers for the longest in no time, whatever it consists of', () => {
    for (const unit of ['a', 'ab', 'asdf', 'pass', '20', '1q2w3e', ' ']) {
      isWeakPassword(unit.repeat(256).slice(0, 256), {
        email: `${'a'.repeat(64)}@b.org`,
        name: 'a '.repeat(50),
      })
    }
  })
})
