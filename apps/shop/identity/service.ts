/**
 * The demo identity provider: an outside company in a process of its own, so that logging in by one works without the internet.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import { defineService } from '@flotilla/core/service'
import { identity } from '../contracts/identity.ts'
import { openFront } from './front.ts'
import { DemoIssuer } from './issuer.ts'
import { IdentitySettings } from './settings.ts'

/** The provider. */
export const identityService = defineService({
  contract: identity,
  config: IdentitySettings,
  async open({ config, clock, random, closing, log }) {
    const { isOpen, host, port, clientSecret, redirectUri, moreRedirectUris } = config
    if (!isOpen) return {}
    if (clientSecret === undefined) {
      throw new FlotillaError(
        'failed_precondition',
        'IDENTITY_CLIENT_SECRET is not set: 16 characters or more.',
      )
    }
    const issuer = await DemoIssuer.open({
      issuer: `http://127.0.0.1:${port}`,
      clientSecret,
      redirectUris: [redirectUri, ...moreRedirectUris].filter((uri) => uri !== ''),
      ports: { clock, random },
    })
    const front = await openFront(issuer, { host, port, log })
    closing.defer('front', () => front.close())
    return {}
  },
})
