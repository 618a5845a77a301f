import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { type Clock, systemClock } from '@flotilla/core/clock'
import { isFlotillaError } from '@flotilla/core/error'
import { searchLines } from './log-search.ts'
import { type Cell, lineRow, type StoredLine } from './rows.ts'
import type { TableRows } from './telemetry-database.ts'
import { TelemetryWriter, type TelemetryWriterOptions } from './telemetry-writer.ts'

interface Test {
  after(cleanUp: () => Promise<void> | void): void
}

function makeFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-telemetry-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function openWriter(t: Test, options: Partial<TelemetryWriterOptions> = {}): Promise<TelemetryWriter> {
  const writer = await TelemetryWriter.open({
    folder: makeFolder(t),
    clock: systemClock,
    log: { warn() {} },
    ...options,
  })
  t.after(() => writer.close())
  return writer
}

const nowMs = Date.now()
const line = (timeUs: number, message = 'line'): StoredLine => ({
  timeUs,
  level: 'info',
  service: 'orders',
  instance: 'orders-1',
  message,
})

async function timesOf(writer: TelemetryWriter): Promise<readonly number[]> {
  const rows = await writer.database.ask<{ us: number }>(
    'select time_us::double as us from lines order by 1',
    [],
    10_000,
  )
  return rows.map(({ us }) => us)
}

/** Writes lines and tells after each flush how many are safe. */
const WRITING = `
const [store, clock, folder] = process.argv.slice(1)
const { openTelemetryStore } = await import(store)
const { systemClock } = await import(clock)
const it = await openTelemetryStore({ folder, clock: systemClock, log: console })
for (let next = it.newestSeq + 1; ; ) {
  const count = 1 + Math.floor(Math.random() * 500)
  const lines = Array.from({ length: count }, () => ({
    timeUs: Date.now() * 1000, level: 'info', service: 's', instance: 'i', message: 'number ' + next++,
  }))
  it.appendLogs(lines)
  it.appendSpans(lines.map(({ timeUs }) => ({
    traceId: 't', spanId: 's', name: 'n', kind: 'server', service: 's', instance: 'i', startUs: timeUs, durationUs: 1, status: 'ok',
  })))
  await it.flush()
  console.log(next - 1)
}`

/** Writes until it cannot, then more, and tells how it is when everything that is left has been written. */
const FULL = `
const [store, clock, folder] = process.argv.slice(1)
const { openTelemetryStore } = await import(store)
const { systemClock } = await import(clock)
const { randomBytes } = await import('node:crypto')
const it = await openTelemetryStore({ folder, clock: systemClock, log: { warn() {} }, waitingRowsMax: 3_000 })
let written = 0
const write = () => it.appendLogs(Array.from({ length: 1_000 }, () => ({
  timeUs: Date.now() * 1_000, level: 'info', service: 's', instance: 'i', message: ++written + ' ' + randomBytes(300).toString('base64'),
})))
const tried = async (work) => {
  for (;;) {
    try { return await work() } catch { await systemClock.sleep(50) }
  }
}
for (let isFull = false; !isFull; ) {
  write()
  await it.flush().catch(() => { isFull = true })
}
for (let batch = 0; batch < 5; batch++) write()
const now = Date.now()
const { lines } = await tried(() => it.searchLogs({ query: '', fromMs: now - 60_000, toMs: now + 1_000, limit: 1 }))
console.log(JSON.stringify({ found: lines.length }))
await tried(() => it.flush())
const { lines: { dropped, rows, waiting } } = (await it.stats()).kinds
console.log(JSON.stringify({ written, dropped, rows, waiting }))
await it.close()`

/** What is done each second comes so many times as often; what a statement may take stays as it is. */
function hurryTurns(times: number): Clock['schedule'] {
  return (ms, action) => systemClock.schedule(ms > 1_000 ? ms : ms / times, action)
}

describe('TelemetryWriter', () => {
  it('loses nothing that was flushed when its process is killed while it writes', async (t) => {
    const folder = makeFolder(t)
    const path = (name: string): string => new URL(name, import.meta.url).href
    const clock = import.meta.resolve('@flotilla/core/clock')
    let safe = 0
    for (const flushes of [1, 6, 20]) {
      const args = ['--input-type=module', '-e', WRITING, path('./telemetry-store.js'), clock, folder]
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      const exited = once(child, 'exit')
      let told = 0
      for await (const text of createInterface(child.stdout)) {
        safe = Number(text)
        if (++told === flushes) child.kill('SIGKILL')
      }
      await exited
      const writer = await TelemetryWriter.open({ folder, clock: systemClock, log: { warn() {} } })
      const rows = await writer.database.ask<{ n: number; last: number; right: number; spans: number }>(
        `select count(*)::double as n, max(seq)::double as last, (select count(*) from spans)::double as spans,
           (count(*) filter (message = 'number ' || seq))::double as right from lines`,
        [],
        10_000,
      )
      await writer.close()
      const [{ n, last, right, spans }] = rows as [(typeof rows)[0]]
      assert.ok(n >= safe, `${n} of ${safe}`)
      // Whole batches, without a gap or a double.
      assert.deepEqual([last, right, spans], [n, n, n])
    }
    assert.ok(safe > 0)
  })

  it('answers while the disk is full, and afterwards has every line once that it did not count as dropped', async (t) => {
    const folder = makeFolder(t)
    const path = new URL('./telemetry-store.js', import.meta.url).href
    const clock = import.meta.resolve('@flotilla/core/clock')
    // No file may become longer than this, which an unprivileged process can be told and a disk cannot.
    const limited = ['--fsize=3000000:unlimited', process.execPath, '--input-type=module', '-e', FULL]
    const child = spawn('prlimit', [...limited, path, clock, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    const told: Record<string, number>[] = []
    for await (const text of createInterface(child.stdout)) {
      told.push(JSON.parse(text))
      if (told.length === 1) spawn('prlimit', ['--pid', String(child.pid), '--fsize=unlimited'])
    }
    const [code] = await exited
    assert.equal(code, 0)
    const [full, after] = told
    assert.deepEqual(full, { found: 1 })
    const { written = 0, dropped = 0, rows = 0, waiting } = after ?? {}
    assert.ok(dropped >= 2_000, `${dropped} dropped`)
    assert.deepEqual([rows + dropped, waiting], [written, 0])
    const writer = await openWriter(t, { folder })
    const [found] = await writer.database.ask<{ n: number }>(
      "select count(distinct split_part(message, ' ', 1))::double as n from lines",
      [],
      10_000,
    )
    assert.equal(found?.n, rows)
  })

  it('keeps the newest when the file is too large, of all kinds, within its bound', async (t) => {
    const bytesMax = 4e6
    const writer = await openWriter(t, { bytesMax })
    let written = 0
    const write = async (): Promise<void> => {
      for (let batch = 0; batch < 4; batch++) {
        const indexes = Array.from({ length: 10_000 }, () => written++)
        const timeOf = (index: number): number => nowMs * 1_000 - 3e9 + index * 1_000
        writer.takeLines(indexes.map((index) => line(timeOf(index), randomBytes(40).toString('base64'))))
        writer.takeSamples(
          indexes
            .filter((index) => index % 10 === 0)
            .map((index) => {
              const labels = { life: String(Math.floor(index / 20_000)) }
              return { timeMs: timeOf(index) / 1_000, name: 'x', labels, type: 'gauge', value: index }
            }),
        )
        await writer.flush()
        const before = (await timesOf(writer)).length
        await writer.retain()
        const after = (await timesOf(writer)).length
        assert.ok(after > before * 0.8, `${after} of ${before} are left at once`)
      }
    }
    for (let round = 0; round < 2; round++) await write()
    for (let step = 0; step < 10; step++) await writer.retain()
    const times = await timesOf(writer)
    const [first = 0] = times
    assert.ok(times.length > 10_000 && times.length < written, `${times.length} of ${written}`)
    // What is left is the end of what was written, without a gap.
    assert.deepEqual(
      times,
      Array.from({ length: times.length }, (_, index) => first + index * 1_000),
    )
    assert.equal(times.at(-1), nowMs * 1_000 - 3e9 + (written - 1) * 1_000)
    const [samples] = await writer.database.ask<{ us: number; lives: number }>(
      'select min(time_us)::double as us, count(distinct series)::double as lives from samples',
      [],
      10_000,
    )
    // The same time for all kinds; of series without samples none is known any more.
    assert.ok(Math.abs((samples?.us ?? 0) - first) <= 10_000)
    assert.equal(writer.series.count, samples?.lives)
    const names = await writer.database.ask('select id from series', [], 10_000)
    assert.equal(names.length, samples?.lives)
    const [used] = await writer.database.ask<{ bytes: number }>(
      "select (used_blocks * block_size)::double as bytes from pragma_database_size() where database_name = 'store'",
      [],
      10_000,
    )
    assert.ok((used?.bytes ?? Number.NaN) <= bytesMax, `${used?.bytes} bytes`)
  })

  it('forgets what is too old', async (t) => {
    let passedMs = 0
    const clock: Clock = { ...systemClock, now: () => nowMs + passedMs, monotonicMs: () => passedMs }
    const writer = await openWriter(t, { clock, ageMsMax: 60_000 })
    writer.takeLines([50_000, 20_000, 0].map((agoMs) => line((nowMs - agoMs) * 1_000)))
    await writer.flush()
    passedMs = 30_000
    await writer.retain()
    assert.deepEqual(
      (await timesOf(writer)).map((us) => nowMs - us / 1_000),
      [20_000, 0],
    )
    // What is searched by is forgotten with it.
    const { database, counts, series, recent } = writer
    const source = { database, clock, counts, series, recent }
    const { lines } = await searchLines(source, { query: '', fromMs: 0, toMs: nowMs + 1_000 })
    assert.equal(lines.length, 2)
    const gone = { fromUs: (nowMs - 70_000) * 1_000, toUs: (nowMs - 48_000) * 1_000 }
    assert.deepEqual([...writer.counts.lines.slices(gone, 1)], [])
    // Not each time: a hundredth of the time that things are kept is 600 ms.
    writer.takeLines([line((nowMs - 29_900) * 1_000)])
    await writer.flush()
    passedMs = 30_500
    await writer.retain()
    assert.equal((await timesOf(writer)).length, 3)
    passedMs = 30_600
    await writer.retain()
    assert.equal((await timesOf(writer)).length, 2)
  })

  it('closes without a complaint, whatever it is doing', async (t) => {
    let passedMs = 0
    const hurried: Clock = {
      ...systemClock,
      schedule: hurryTurns(500),
      // Each turn removes what is old.
      monotonicMs: () => (passedMs += 20_000),
    }
    const warnings: string[] = []
    for (let moment = 0; moment < 15; moment++) {
      const writer = await openWriter(t, {
        clock: hurried,
        log: { warn: (message) => warnings.push(message) },
      })
      writer.takeLines([line(nowMs * 1_000)])
      await systemClock.sleep(moment)
      await writer.close()
    }
    assert.deepEqual(warnings, [])
  })

  it('opens the file anew when it cannot be written, and writes what waited, once', async (t) => {
    const hurried: Clock = { ...systemClock, schedule: hurryTurns(50) }
    const warnings: string[] = []
    const writer = await openWriter(t, { clock: hurried, log: { warn: (message) => warnings.push(message) } })
    const broken = writer.database
    await broken.close()
    writer.takeLines([line(nowMs * 1_000)])
    while (writer.database === broken || writer.buffered('lines').waiting > 0) await systemClock.sleep(5)
    assert.equal((await timesOf(writer)).length, 1)
    assert.deepEqual([...new Set(warnings)], ['telemetry cannot be written'])
  })

  it('sets a file aside that cannot be read, and is refused one that another has', async (t) => {
    const folder = makeFolder(t)
    writeFileSync(join(folder, 'telemetry-1.duckdb'), randomBytes(100_000))
    writeFileSync(join(folder, 'telemetry-0.duckdb'), 'of an earlier version')
    const writer = await openWriter(t, { folder })
    assert.ok(existsSync(join(folder, 'broken-telemetry-1.duckdb')))
    assert.ok(!existsSync(join(folder, 'telemetry-0.duckdb')))
    writer.takeLines([line(nowMs * 1_000)])
    await writer.flush()
    assert.equal((await timesOf(writer)).length, 1)
    const path = new URL('./telemetry-store.js', import.meta.url).href
    const clock = import.meta.resolve('@flotilla/core/clock')
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITING, path, clock, folder])
    let said = ''
    child.stderr.on('data', (chunk) => {
      said += chunk
    })
    await once(child, 'close')
    assert.match(said, /failed_precondition/)
  })

  it('writes a batch whole or not at all', async (t) => {
    const writer = await openWriter(t)
    const { cells } = lineRow(line(nowMs * 1_000), 1)
    const batch = (series: readonly Cell[]): TableRows[] => [
      { table: 'lines', rows: [cells] },
      { table: 'series', rows: [series] },
    ]
    await assert.rejects(writer.database.append(batch([1n, 'x', '{}', 'gauge'])))
    assert.equal((await timesOf(writer)).length, 0)
    await writer.database.append(batch([1, 'x', '{}', 'gauge']))
    assert.equal((await timesOf(writer)).length, 1)
  })

  it('answers questions in bounded number and time, and none when it is closed', async (t) => {
    const { database } = await openWriter(t, { memoryBytesMax: 24e6 })
    const slow = 'select count(*) from range(100000000000) where range % 7 = 3'
    const late = database.ask(slow, [], 50)
    await assert.rejects(late, (error) => isFlotillaError(error) && error.code === 'deadline_exceeded')
    const large = "select count(distinct concat('some text ', range)) as n from range(50000000)"
    await assert.rejects(
      database.ask(large, [], 60_000),
      (error) => isFlotillaError(error) && error.code === 'resource_exhausted',
    )
    const asked = Array.from({ length: 40 }, () => database.ask('select 1 as one', [], 10_000))
    const results = await Promise.allSettled(asked)
    const refused = results.filter((one) => one.status === 'rejected').map(({ reason }) => reason.code)
    assert.deepEqual(
      refused,
      Array.from({ length: 6 }, () => 'resource_exhausted'),
    )
    await database.close()
    const isClosed = (error: unknown): boolean => isFlotillaError(error) && error.code === 'unavailable'
    await assert.rejects(database.ask('select 1', [], 1_000), isClosed)
    await assert.rejects(database.append([]), isClosed)
  })
})
