/**
 * What the issuer of access tokens and those who accept them agree on.
 *
 * @module
 */

/** `iss` of access tokens. */
export const ISSUER = 'flotilla-shop'

/** `aud` of access tokens. */
export const AUDIENCE = 'flotilla-shop-api'
