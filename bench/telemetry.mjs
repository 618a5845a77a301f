/**
 * `npm run bench -- telemetry`: the telemetry store under what it must bear, 1,000 spans and 2,000 log lines a second and 5,000 samples
 * every 5 s, while somebody asks it everything a console would: how soon it answers, what memory and CPU its process takes.
 *
 * The store is in a process of its own, which makes the rows as well. What it costs is the difference of a run without questions to a control that makes the rows and
 * throws them away.
 * The goals are those of ten minutes. What is not waited for is filled in before, so that questions are always about as much; `--seconds 600` fills in nothing.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { showAnswers, slowestP95 } from './answers.mjs'
import { answer, ended, start } from './children.mjs'
import { judge, say } from './figures.mjs'

const WHOLE_S = 600

/** Measures; only the seconds are heeded. */
export async function measureTelemetry({ seconds }) {
  const shortly = { seconds: Math.min(seconds, 30), filledSeconds: 0, isAsked: false }
  const without = await run({ ...shortly, isControl: true })
  const unasked = await run({ ...shortly, isControl: false })
  const store = await run({
    seconds,
    filledSeconds: Math.max(0, WHOLE_S - seconds),
    isControl: false,
    isAsked: true,
  })
  showAnswers(store.answersMs)
  const { rows } = store
  const perSecond = unasked.cpuMs / unasked.seconds - without.cpuMs / without.seconds
  console.log(
    `\n  ${rows.spans} spans, ${rows.lines} lines, ${rows.samples} samples in ${store.seconds.toFixed(0)} s; file ${(store.fileBytes / 1e6).toFixed(0)} MB; ` +
      `its process blocked at most ${store.stallMs.toFixed(0)} ms\n`,
  )
  judge('slowest question, p95', slowestP95(store.answersMs), { atMost: 300, unit: 'ms', digits: 0 })
  judge('memory of the process', store.rssBytesMax / 1e6, { atMost: 400, unit: 'MB', digits: 0 })
  judge('CPU for 1,000 spans and lines, with their samples', perSecond / 3, {
    atMost: 50,
    unit: 'ms',
    digits: 1,
  })
  judge('rows dropped', store.dropped, { atMost: 0, unit: 'rows', digits: 0 })
}

async function run(what) {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-telemetry-'))
  try {
    say(`${what.isControl ? 'making' : 'keeping'} rows for ${what.seconds} s`)
    const child = start('telemetry-side.mjs', {
      args: [JSON.stringify({ ...what, folder })],
    })
    const result = await answer(child)
    await ended(child)
    return result
  } finally {
    say('')
    rmSync(folder, { recursive: true, force: true })
  }
}
