/** The control process may end at any time, and however it ends: who shops does not notice, and what it had gathered is there when it is back. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openTelemetryStore } from '@flotilla/control/telemetry-store'
import { systemClock } from '@flotilla/core/clock'
import { until } from '@flotilla/core/until'
import { type Bed, makeBed, processesOf, run, startUp } from './flotilla-process.ts'
import { openShop, type Shop } from './placements.ts'

interface ProcessRow {
  readonly name: string
  readonly state: string
  readonly pid?: number
  readonly starts: number
  readonly lastEnd?: string
}

/** Answers of the control API. */
interface Told {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: bodies of all kinds
  readonly body: any
}

/** Asks the control API of the system in a bed; undefined while nobody answers. */
async function ask(bed: Bed, operation: string, input: unknown = {}): Promise<Told | undefined> {
  const { url, token } = JSON.parse(readFileSync(join(bed.folder, 'control.json'), 'utf8'))
  try {
    const answer = await fetch(`${url}/operations/${operation}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(input),
    })
    return { status: answer.status, body: await answer.json() }
  } catch {
    return undefined
  }
}

async function processes(bed: Bed): Promise<readonly ProcessRow[]> {
  const told = await ask(bed, 'control.processes')
  return told?.status === 200 ? told.body.items : []
}

async function control(bed: Bed): Promise<ProcessRow | undefined> {
  return (await processes(bed)).find(({ name }) => name === 'control')
}

/** Waits for another control process; gives it, and how long there was none that answers. */
async function untilBack(
  bed: Bed,
  before: ProcessRow,
  boundMs = 10_000,
): Promise<ProcessRow & { awayMs: number }> {
  const startMs = systemClock.monotonicMs()
  let now: ProcessRow | undefined
  await until(
    'the control process is back',
    async () => {
      now = await control(bed)
      return now?.state === 'ready' && now.pid !== before.pid
    },
    boundMs,
  )
  return { ...(now as ProcessRow), awayMs: systemClock.monotonicMs() - startMs }
}

/** What its heap may come to hold, as it says itself. */
async function heapBytesMax(bed: Bed): Promise<number> {
  const { url } = JSON.parse(readFileSync(join(bed.folder, 'control.json'), 'utf8'))
  const metrics = await (await fetch(`${url}/metrics`)).text()
  return Number(/^nodejs_heap_size_limit_bytes (\d+)$/m.exec(metrics)?.[1])
}

/** People who read without a pause, and ask nothing twice. */
function keepReading({ api }: Shop): { stop(): Promise<{ asked: number; failed: readonly string[] }> } {
  const paths = ['/products?limit=1', '/search?q=kettle', '/home', '/stock/AUD-0001']
  const failed: string[] = []
  let [asked, isOver] = [0, false]
  const reader = async (offset: number): Promise<void> => {
    for (let index = offset; !isOver; index++, asked++) {
      const path = paths[index % paths.length] as string
      const status = await api(path).then(
        (answer) => answer.status,
        (error: Error) => error.message,
      )
      if (status !== 200) failed.push(`${path}: ${status}`)
    }
  }
  const readers = [0, 1, 2, 3].map(reader)
  return {
    async stop() {
      isOver = true
      await Promise.all(readers)
      return { asked, failed }
    },
  }
}

/** A request of a client; its trace. */
async function trace({ api }: Shop): Promise<string> {
  const { status, headers } = await api('/products?limit=1')
  assert.equal(status, 200)
  return (headers.get('traceparent') ?? '').split('-')[1] ?? ''
}

/** Waits until the trace is kept, with at least one line of a log. */
async function untilKept(bed: Bed, traceId: string): Promise<void> {
  await until(`trace ${traceId} and a line of it are kept`, async () => {
    const found = await ask(bed, 'observe.trace', { traceId })
    return found?.status === 200 && found.body.items.length > 1 && found.body.logLines > 0
  })
}

/** Waits until a trace and a line of a log are kept that are younger than this call. */
async function untilGathers(bed: Bed): Promise<void> {
  const fromMs = systemClock.now()
  for (const operation of ['observe.traces', 'observe.logs'])
    await until(`${operation} finds something new`, async () => {
      const found = await ask(bed, operation, { fromMs, toMs: systemClock.now() + 1 })
      return found?.status === 200 && found.body.items.length > 0
    })
}

describe('the control process', () => {
  for (const placement of ['monolith', 'fleet'] as const) {
    it(`is killed, hangs, is restarted: services do not notice, and history is kept: ${placement}`, async (t) => {
      const shop = await openShop(t, placement)
      const bed = shop.bed as Bed
      const before = await trace(shop)
      await untilKept(bed, before)
      // A command, which is written down.
      const input = { sku: 'AUD-0001', onHand: 77 }
      const called = await ask(bed, 'control.call', { operation: 'inventory.setStock', input })
      assert.equal(called?.status, 200)
      const others = async () =>
        (await processes(bed))
          .filter(({ name }) => name !== 'control')
          .map(({ name, pid, starts }) => `${name} ${pid} ${starts}`)
      const all = await others()
      assert.ok(all.length > 0)
      const reading = keepReading(shop)
      t.after(async () => void (await reading.stop()))

      const first = (await control(bed)) as ProcessRow
      assert.equal(first.starts, 1)
      // Whatever the machine has: by default it would be 2 GB and more.
      const heapBytes = await heapBytesMax(bed)
      assert.ok(heapBytes >= 1024 ** 3 && heapBytes < 1.2 * 1024 ** 3, `${heapBytes} bytes`)
      process.kill(first.pid as number, 'SIGKILL')
      // A command is a little patient.
      const [status, second] = await Promise.all([run(bed, 'status', '--json'), untilBack(bed, first)])
      assert.deepEqual([status.exitCode, status.errors], [0, ''])
      assert.equal(second.starts, 2)
      assert.match(second.lastEnd ?? '', /^SIGKILL after/)
      await untilKept(bed, before)
      await untilGathers(bed)
      const audit = await ask(bed, 'observe.audit')
      assert.match(JSON.stringify(audit?.body), /inventory\.setStock/)

      const hangsMs = systemClock.monotonicMs()
      process.kill(second.pid as number, 'SIGSTOP')
      const third = await untilBack(bed, second, 20_000)
      assert.match(third.lastEnd ?? '', /^killed, since it gave no sign of life/)
      const hungMs = systemClock.monotonicMs() - hangsMs

      const told = await ask(bed, 'control.restart', { process: 'control' })
      assert.deepEqual(told, { status: 200, body: {} })
      const fourth = await untilBack(bed, third)
      assert.deepEqual([fourth.starts, fourth.lastEnd], [4, third.lastEnd])
      await untilGathers(bed)

      const { asked, failed } = await reading.stop()
      t.diagnostic(
        `${asked} reads; back ${second.awayMs.toFixed(0)} ms after kill -9, ${hungMs.toFixed(0)} ms after SIGSTOP, ${fourth.awayMs.toFixed(0)} ms after the order`,
      )
      assert.deepEqual(failed, [])
      assert.deepEqual(await others(), all)
    })
  }

  it('stops looking before services stop, takes what they say last, and is over when it hangs', async (t) => {
    const bed = await makeBed(t)
    const up = await startUp(bed, ['--placement', 'monolith'])
    const ended = new Promise<number | null>((resolve) => up.child.once('close', resolve))
    await until('processes were asked', async () => {
      const asked = await ask(bed, 'observe.series', {
        name: 'flotilla_process_up',
        fromMs: systemClock.now() - 60_000,
        toMs: systemClock.now(),
      })
      return asked?.body.items?.length > 0
    })
    up.child.kill('SIGTERM')
    assert.equal(await ended, 0)
    const log = { warn: () => {} }
    const store = await openTelemetryStore({ folder: join(bed.folder, 'telemetry'), clock: systemClock, log })
    t.after(() => store.close())
    const range = { fromMs: systemClock.now() - 300_000, toMs: systemClock.now() }
    const { lines } = await store.searchLogs({ ...range, query: 'leaving why=SIGTERM' })
    assert.deepEqual([...new Set(lines.map(({ service }) => service))].length > 1, true)
    await store.close()

    const again = await startUp(bed, ['--placement', 'monolith'])
    const { pid } = (await control(bed)) as ProcessRow
    const over = new Promise<number | null>((resolve) => again.child.once('close', resolve))
    process.kill(pid as number, 'SIGSTOP')
    const startedMs = systemClock.monotonicMs()
    again.child.kill('SIGTERM')
    assert.equal(await over, 0)
    const tookMs = systemClock.monotonicMs() - startedMs
    t.diagnostic(`stopped in ${tookMs.toFixed(0)} ms with a control process that hangs`)
    assert.ok(tookMs < 10_000)
    assert.deepEqual(processesOf(bed), [])
  })
})
