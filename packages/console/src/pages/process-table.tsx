/**
 * Processes: what they use, how they do, and acts on them.
 *
 * @module
 */
import type { ProcessInfo } from '@flotilla/control/contract'
import type { JSX } from 'preact'
import { bytes, count, duration, share } from '../format/figures.ts'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { ActButton } from '../parts/inputs.tsx'
import { Mark, toneOf } from '../parts/marks.tsx'
import { Empty } from '../parts/states.tsx'
import type { Act } from '../state/acts.ts'
import { ask } from '../state/api.ts'
import { hrefTo } from '../state/place.ts'

/** From this share of a core on, a process is short of it; as the alert has it. */
const CPU_HIGH = 0.8
const LOOP_DELAY_HIGH_MS = 100

const COLUMNS: readonly Column<ProcessInfo>[] = [
  {
    title: 'process',
    as: 'head',
    by: ({ name }) => name,
    cell: ({ name, services, version }) => (
      <>
        <a href={hrefTo('/logs', { q: `instance=${name}` })}>{name}</a>
        <div class="muted small">
          {services.join(', ')} {version}
        </div>
      </>
    ),
  },
  {
    title: 'state',
    as: 'clip',
    by: ({ state }) => state,
    cell: ({ state, isLooping, lastEnd }) => (
      <>
        <Mark tone={isLooping ? 'bad' : toneOf(state)} word={isLooping ? 'ends again and again' : state} />
        {lastEnd !== undefined && <div class="muted small">last end: {lastEnd}</div>}
      </>
    ),
  },
  { title: 'pid', as: 'number', cell: ({ pid }) => pid ?? '–' },
  {
    title: 'CPU',
    as: 'number',
    by: ({ cpuRatio }) => cpuRatio ?? 0,
    cell: ({ cpuRatio }) =>
      (cpuRatio ?? 0) > CPU_HIGH ? <Mark tone="warning" word={share(cpuRatio)} /> : share(cpuRatio),
  },
  {
    title: 'memory',
    as: 'number',
    by: ({ rssBytes }) => rssBytes ?? 0,
    cell: ({ rssBytes }) => bytes(rssBytes),
  },
  {
    title: 'in flight',
    as: 'number',
    by: ({ inFlight }) => inFlight ?? 0,
    cell: ({ inFlight }) => count(inFlight),
  },
  {
    title: 'loop delay',
    as: 'number',
    by: ({ loopDelayMs }) => loopDelayMs ?? 0,
    cell: ({ loopDelayMs }) =>
      (loopDelayMs ?? 0) > LOOP_DELAY_HIGH_MS ? (
        <Mark tone="warning" word={duration(loopDelayMs)} />
      ) : (
        duration(loopDelayMs)
      ),
  },
  {
    title: 'up',
    as: 'number',
    by: ({ uptimeMs }) => uptimeMs,
    cell: ({ uptimeMs }) => duration(uptimeMs),
  },
  { title: 'starts', as: 'number', by: ({ starts }) => starts, cell: ({ starts }) => starts },
  {
    title: 'act',
    as: 'nowrap',
    cell: (process) => (
      <span class="row nowrap">
        <ActButton act={() => restart(process)}>Restart</ActButton>
        <ActButton act={() => kill(process)}>Kill</ActButton>
      </span>
    ),
  },
]

/** The table. */
export function ProcessTable({
  processes,
  orderParam,
}: {
  readonly processes: readonly ProcessInfo[]
  readonly orderParam: string
}): JSX.Element {
  return (
    <DataTable
      caption="Processes"
      rows={processes}
      keyOf={({ name }) => name}
      orderParam={orderParam}
      empty={<Empty title="No processes">They are being started, or the service runs elsewhere.</Empty>}
      columns={COLUMNS}
    />
  )
}

function restart({ name, services }: ProcessInfo): Act {
  return {
    title: `Restart ${name}?`,
    detail: `${name}, which runs ${services.join(', ')}, takes no more calls, finishes those it has, ends, and is started again.`,
    verb: 'Restart',
    run: async () => {
      await ask('control.restart', { process: name })
      return `${name} was restarted.`
    },
  }
}

function kill({ name, services, inFlight }: ProcessInfo): Act {
  return {
    title: `Kill ${name}?`,
    detail: `${name}, which runs ${services.join(', ')}, ends at once, as in a crash. ${
      inFlight ? `The ${inFlight} calls it works on now fail or are tried elsewhere. ` : ''
    }It is started again.`,
    verb: 'Kill',
    isDangerous: true,
    run: async () => {
      await ask('control.kill', { process: name })
      return `${name} was killed.`
    },
  }
}
