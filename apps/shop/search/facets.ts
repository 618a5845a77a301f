/**
 * What the whole result could be narrowed by: its categories, and the attributes that tell most. An attribute tells
 * something when there are several values of it, and the more, the more hits share a value with another hit: a brand does,
 * a weight to the gram does not.
 *
 * @module
 */
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import type { Search } from './hits.ts'

const ATTRIBUTES_MAX = 5
const VALUES_MAX = 10

interface Facet {
  readonly name: string
  readonly values: { value: string; count: number }[]
}

/** The categories first, then the attributes, the most telling first. */
export function facetsOf(db: Session, { query, category }: Search): Promise<Facet[]> {
  return db.many<Facet>(sql`
    with hit as (
      select category, content -> 'attributes' as attributes from entry
      where document @@ ${query}::tsquery and (${category}::text is null or category = ${category})
    ), single as (
      select true as "isCategory", 'category' as name, category as value from hit
      union all
      select false, key, item
      from hit, jsonb_each(attributes) attribute (key, value),
        jsonb_array_elements_text(
          case jsonb_typeof(value) when 'array' then value else jsonb_build_array(value) end) item
      where key <> 'category'
    ), counted as (
      select "isCategory", name, value, count(*)::integer as count,
        row_number() over (partition by name order by count(*) desc, value collate "C") as place
      from single group by "isCategory", name, value
    )
    select name, json_agg(json_build_object('value', value, 'count', count) order by place)
      filter (where place <= ${VALUES_MAX}) as values
    from counted group by "isCategory", name having "isCategory" or (count(*) > 1 and max(count) > 1)
    order by "isCategory" desc, sum(count) filter (where count > 1) desc, name collate "C"
    limit 1 + ${ATTRIBUTES_MAX}`)
}
