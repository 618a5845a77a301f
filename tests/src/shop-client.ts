/**
 * The shop's HTTP API as a test uses it.
 *
 * @module
 */

/** An answer. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // A test says what it expects; the contract's own tests check shapes.
  // biome-ignore lint/suspicious/noExplicitAny: bodies of all kinds
  readonly body: any
}

/** What a request may carry. */
export interface Request {
  readonly method?: string
  readonly body?: unknown
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Ends it early. */
  readonly signal?: AbortSignal
}

/** Asks. */
export type Ask = (path: string, request?: Request) => Promise<Answer>

/** The functions of one shop. */
export interface ShopClient {
  /** Where it is. */
  readonly origin: string
  /** Below `/api/v1`. */
  readonly api: Ask
  /** At the root of the host. */
  readonly root: Ask
  /** Opens an account with a new e-mail address. */
  register(name: string): Promise<Shopper>
  /** Logs in. */
  login(email: string, password: string): Promise<Shopper>
}

/** Somebody who is logged in. */
export interface Shopper {
  readonly id: string
  readonly email: string
  readonly password: string
  readonly token: string
  readonly refreshToken: string
}

/** Talks to the shop at `origin`. */
export function shopClient(origin: string): ShopClient {
  const root: Ask = async (path, { method, body, token, headers, signal } = {}) => {
    const response = await fetch(origin + path, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : undefined,
    }
  }
  const api: Ask = (path, request) => root(`/api/v1${path}`, request)
  const session = async (path: string, body: { email: string; password: string }): Promise<Shopper> => {
    const answer = await api(path, { body })
    if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.text}`)
    const { user, accessToken, refreshToken } = answer.body
    return { id: user.id, email: user.email, password: body.password, token: accessToken, refreshToken }
  }
  let accounts = 0
  return {
    origin,
    api,
    root,
    register(name) {
      const email = `${name}-${process.pid}-${accounts++}@example.org`
      return session('/auth/register', { email, password: `the long password of ${name}`, name } as never)
    },
    login: (email, password) => session('/auth/login', { email, password }),
  }
}
