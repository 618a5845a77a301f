/**
 * What a span says of itself; SQL is laid out for reading.
 *
 * @module
 */
import type { SpanInfo } from '@flotilla/control/shapes'
import type { JSX } from 'preact'
import { duration } from '../../format/figures.ts'
import { sqlLines } from '../../format/sql-text.ts'
import { valueText } from '../../format/values.ts'
import { CopyButton } from '../../parts/inputs.tsx'
import { Code, Facts } from '../../parts/panel.tsx'
import { ServiceLink } from '../service-link.tsx'

/** Attributes that hold a statement, in the old and the new spelling of OpenTelemetry. */
const SQL = new Set(['db.statement', 'db.query.text'])

/** The details. */
export function SpanDetails({ span }: { readonly span: SpanInfo }): JSX.Element {
  const { spanId, service, instance, kind, code, startMs, durationMs, attributes } = span
  const entries = Object.entries(attributes)
  return (
    <div class="span-details stack">
      <Facts
        items={[
          ['service', <ServiceLink key="service" service={service} />],
          ['instance', instance],
          ['kind', kind],
          ['result', code],
          ['began after', duration(startMs)],
          ['lasted', duration(durationMs)],
          [
            'span',
            <span key="id" class="row">
              <code>{spanId}</code>
              <CopyButton text={spanId} what="the span id" />
            </span>,
          ],
        ]}
      />
      {entries
        .filter(([name]) => SQL.has(name))
        .map(([name, value]) => (
          <Code key={name} label="SQL" text={sqlLines(valueText(value))} />
        ))}
      <dl class="fields">
        {entries
          .filter(([name]) => !SQL.has(name))
          .flatMap(([name, value]) => [
            <dt key={name}>{name}</dt>,
            <dd key={`${name}=`}>{valueText(value)}</dd>,
          ])}
      </dl>
    </div>
  )
}
