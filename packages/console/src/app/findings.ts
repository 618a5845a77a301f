/**
 * What can be found from the keyboard.
 *
 * @module
 */

/** Something to go to. */
export interface Finding {
  readonly title: string
  readonly kind: string
  readonly path: string
  readonly params?: Readonly<Record<string, string>>
}

const FOUND_MAX = 12

/** What a text may mean, the likeliest first; without a text, the pages. */
export function findings(
  text: string,
  pages: readonly { readonly title: string; readonly path: string }[],
  services: readonly string[],
): Finding[] {
  const wanted = text.trim().toLowerCase()
  const all: Finding[] = [
    ...pages.map(({ title, path }) => ({ title, kind: 'page', path })),
    ...services.map((name) => ({ title: name, kind: 'service', path: `/services/${name}` })),
  ]
  if (wanted === '') return all.slice(0, FOUND_MAX)
  const matching = all
    .filter(({ title }) => title.toLowerCase().includes(wanted))
    .sort((a, b) => placeIn(a, wanted) - placeIn(b, wanted))
  const q = text.trim()
  const others: Finding[] = [
    { title: `“${q}” in logs`, kind: 'logs', path: '/logs', params: { q } },
    { title: `spans called “${q}”`, kind: 'traces', path: '/traces', params: { name: q } },
  ]
  if (/^[0-9a-f]{32}$/.test(wanted))
    return [{ title: wanted, kind: 'trace', path: `/traces/${wanted}` }, ...others]
  return [...matching.slice(0, FOUND_MAX - others.length), ...others]
}

function placeIn({ title }: Finding, text: string): number {
  return title.toLowerCase().indexOf(text)
}
