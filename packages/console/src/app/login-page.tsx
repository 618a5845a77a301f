/**
 * What stands there for somebody the server does not know.
 *
 * @module
 */
import type { JSX } from 'preact'

/** The page. */
export function LoginPage(): JSX.Element {
  return (
    <main class="login panel">
      <h1>Log in</h1>
      <p>
        This console belongs to whoever started the system. On that machine, in the folder of the project, run
      </p>
      <pre class="code">npx flotilla console</pre>
      <p>and open the link it prints. The link works until the data folder is made anew.</p>
      <p>
        <button type="button" class="button" onClick={() => location.reload()}>
          Try again
        </button>
      </p>
    </main>
  )
}
