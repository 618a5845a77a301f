/**
 * A link to what is known of a service: its own page, or where it is a program of others, its traces.
 *
 * @module
 */
import type { JSX } from 'preact'
import { overview } from '../state/live.ts'
import { hrefTo } from '../state/place.ts'

/** The link. */
export function ServiceLink({ service }: { readonly service: string }): JSX.Element {
  const ours = overview.value?.services
  const isOurs = ours === undefined || ours.some(({ name }) => name === service)
  return <a href={isOurs ? hrefTo(`/services/${service}`) : hrefTo('/traces', { service })}>{service}</a>
}
