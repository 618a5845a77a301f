/**
 * Runs a service in so many processes.
 *
 * @module
 */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { plural } from '../../format/figures.ts'
import { ActButton } from '../../parts/inputs.tsx'
import { ask } from '../../state/api.ts'

const INSTANCES_MAX = 32

/** The form. */
export function ScaleForm({
  service,
  wanted,
}: {
  readonly service: string
  readonly wanted: number
}): JSX.Element {
  const [instances, setInstances] = useState(wanted)
  return (
    <span class="row">
      <label class="row small">
        instances
        <input
          class="input count"
          type="number"
          min={1}
          max={INSTANCES_MAX}
          value={instances}
          onInput={(event) =>
            setInstances(Math.min(INSTANCES_MAX, Math.max(1, event.currentTarget.valueAsNumber || 1)))
          }
        />
      </label>
      <ActButton
        act={() => ({
          title: `Scale ${service} to ${instances}?`,
          detail: `${service} runs in ${plural(wanted, 'process', 'processes')} now and will run in ${instances}. ${
            instances < wanted ? 'Those that end first finish what they do. ' : ''
          }Other services in the same process are scaled with it.`,
          verb: 'Scale',
          run: async () => {
            const { host, instances: its } = await ask('control.scale', { service, instances })
            return `Process ${host} runs ${plural(its, 'time')} now.`
          },
        })}
      >
        Scale
      </ActButton>
    </span>
  )
}
