/**
 * Who looks, and whether they may act.
 *
 * The login link of `npx flotilla console` carries a key in the fragment of its address, the part that browsers send to nobody. The page takes it
 * from there, out of sight, and shows it with every request. Looking is all that is allowed until the person says otherwise, for this tab and
 * until it is closed: a catch against a slip of the hand.
 *
 * @module
 */
import { signal } from '@preact/signals'
import { address, onFragment, remember, remembered, setAddress } from '../browser/browser.ts'

const KEY = 'key'

/** False once the server did not know us. */
export const isLoggedIn = signal(true)

/** Whether this person has allowed changes. */
export const mayAct = signal(false)

/** Takes the key from a login link, now and when one is opened in this tab. To be called before anything is asked. */
export function startSession(): void {
  takeKey()
  onFragment(takeKey)
}

function takeKey(): void {
  const { path, search, hash } = address()
  const key = new URLSearchParams(hash.slice(1)).get('key')
  if (key === null || key === '') return
  remember(KEY, key)
  setAddress(`${path}${search}`, true)
  isLoggedIn.value = true
}

/** What a request says about who sends it. */
export function sessionHeaders(): Record<string, string> {
  const key = remembered(KEY)
  return {
    'x-flotilla-console': '1',
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    ...(mayAct.value ? { 'x-flotilla-changes': 'allowed' } : {}),
  }
}
