/**
 * How the documentation page looks.
 *
 * @module
 */

/** Its style sheet. */
export const docsStyle = `
:root { color-scheme: light dark; --ink: #1c2330; --paper: #fbfaf7; --soft: #6a7280; --line: #e3e0d8; --card: #fff;
  --accent: #0f5ea8; --get: #1d7a46; --post: #0f5ea8; --put: #96610b; --delete: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ec; --paper: #14171c; --soft: #98a0ad; --line: #2a2f38;
  --card: #1b1f26; --accent: #7db7f0; --get: #6fcf97; --post: #7db7f0; --put: #e0b25c; --delete: #f28b82; } }
* { box-sizing: border-box }
html { scroll-padding-top: 1rem }
a { color: var(--accent) }
:target { outline: 2px solid var(--accent); outline-offset: -1px }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif;
  display: grid; grid-template-columns: 17rem minmax(0, 1fr) }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1.5rem 1rem; border-right: 1px solid var(--line); font-size: .875rem }
nav h2 { font-size: .75rem; letter-spacing: .08em; text-transform: uppercase; color: var(--soft); margin: 1.25rem 0 .25rem }
nav ul { list-style: none; margin: 0; padding: 0 }
nav a { display: block; padding: .125rem 0; color: var(--ink); text-decoration: none; overflow-wrap: anywhere }
nav span { display: inline-block; min-width: 3rem; font: 600 .75rem ui-monospace, monospace }
nav a:hover, nav a:focus-visible { color: var(--accent) }
nav a.old { text-decoration: line-through; color: var(--soft) }
main { padding: 2rem clamp(1rem, 4vw, 3.5rem) 6rem; max-width: 64rem }
h1 { margin: 0; font-size: 1.75rem }
h2 { margin: 3rem 0 .5rem; font-size: 1.25rem }
p { margin: .25rem 0 .75rem } .soft { color: var(--soft) }
article { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem 1.25rem; margin: 1rem 0 }
article h3 { margin: 0 0 .25rem; font: 600 1rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere }
article h3 em { color: var(--delete); font-style: normal }
.method { display: inline-block; min-width: 4.25rem; font-weight: 700 }
.GET { color: var(--get) } .POST { color: var(--post) } .PUT, .PATCH { color: var(--put) } .DELETE { color: var(--delete) }
h4 { margin: 1rem 0 .25rem; font-size: .8125rem; color: var(--soft); font-weight: 600 }
pre { margin: 0; padding: .75rem 1rem; background: var(--paper); border: 1px solid var(--line); border-radius: .375rem; overflow: auto; font: .8125rem/1.5 ui-monospace, monospace }
table { border-collapse: collapse; width: 100%; font-size: .875rem } td { padding: .25rem .75rem .25rem 0; vertical-align: top; border-top: 1px solid var(--line) }
td:first-child { white-space: nowrap; font-family: ui-monospace, monospace } code { font-family: ui-monospace, monospace; font-size: .875em }
@media (max-width: 48rem) { body { display: block } pre { white-space: pre-wrap } nav { position: static; height: auto; max-height: 40vh; border-right: 0; border-bottom: 1px solid var(--line) } }
`
