import assert from 'node:assert/strict'
import { appendFileSync, copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { until } from '@flotilla/core/until'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import { followLines, type LogLine, type LogSource, lastLines } from './log-reader.ts'

function makeSources(t: TestContext, ...names: string[]): LogSource[] {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-logs-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return names.map((process) => ({ process, path: join(folder, `${process}.log`) }))
}

/** A line of ours, at a second of the minute. */
function line(second: number, fields: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ timestamp: `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`, ...fields })
}

const textsOf = (lines: readonly LogLine[]): string[] =>
  lines.map(({ process, text }) => `${process} ${text}`)

describe('lastLines', () => {
  it('gives the last of all files together, oldest first', async (t) => {
    const [a, b] = makeSources(t, 'a-1', 'b-1', 'none-1') as [LogSource, LogSource]
    writeFileSync(a.path, `${line(1)}\n${line(4)}\n`)
    writeFileSync(b.path, `${line(2)}\n${line(3)}\n`)
    const sources = [a, b, { process: 'none-1', path: `${a.path}.none` }]
    assert.deepEqual(textsOf(await lastLines(sources, {}, 3)), [
      `b-1 ${line(2)}`,
      `b-1 ${line(3)}`,
      `a-1 ${line(4)}`,
    ])
  })

  it('leaves what Node prints at a crash where it was printed', async (t) => {
    const [a, b] = makeSources(t, 'a-1', 'b-1') as [LogSource, LogSource]
    writeFileSync(a.path, `${line(2)}\nFATAL ERROR\n{ not json\n`)
    writeFileSync(b.path, `${line(1)}\n${line(3)}\n`)
    const expected = [`a-1 ${line(2)}`, 'a-1 FATAL ERROR', 'a-1 { not json', `b-1 ${line(3)}`]
    assert.deepEqual(textsOf(await lastLines([a, b], {}, 4)), expected)
  })

  it('gives what is asked for: of a service, with a field', async (t) => {
    const [a] = makeSources(t, 'a-1') as [LogSource]
    const [one, two, three] = [
      line(1, { service: 'cart', request_id: 'r=1' }),
      line(2, { service: 'cart', request_id: 'r2', status: 200 }),
      line(3, { service: 'auth', request_id: 'r=1' }),
    ]
    writeFileSync(a.path, `${one}\n${two}\n${three}\nno json\n`)
    const texts = async (filter: Parameters<typeof lastLines>[1]): Promise<string[]> =>
      (await lastLines([a], filter, 10)).map(({ text }) => text)
    assert.deepEqual(await texts({ service: 'cart' }), [one, two])
    assert.deepEqual(await texts({ where: 'request_id=r=1' }), [one, three])
    assert.deepEqual(await texts({ service: 'cart', where: 'status=200' }), [two])
    assert.deepEqual(await texts({ where: 'nothing=x' }), [])
  })

  it('goes back to what was written before the file was rotated', async (t) => {
    const [a, b] = makeSources(t, 'a-1', 'b-1') as [LogSource, LogSource]
    writeFileSync(`${a.path}.1`, `${line(1)}\n${line(2)}\n`)
    writeFileSync(a.path, `${line(4)}\n`)
    writeFileSync(b.path, `${line(3)}\n`)
    const expected = [`a-1 ${line(2)}`, `b-1 ${line(3)}`, `a-1 ${line(4)}`]
    assert.deepEqual(textsOf(await lastLines([a, b], {}, 3)), expected)
    // Beyond the bound of what is read there is nothing to go back to.
    writeFileSync(a.path, `${line(5, { long: 'x'.repeat(4 * 1024 * 1024) })}\n${line(6)}\n`)
    assert.deepEqual(textsOf(await lastLines([a], {}, 10)), [`a-1 ${line(6)}`])
  })

  it('reads no more than 4 MiB of a file, and no half line', async (t) => {
    const [a] = makeSources(t, 'a-1') as [LogSource]
    const filler = 'é'.repeat(1_000)
    writeFileSync(a.path, `${filler}\n`.repeat(2_500))
    const lines = await lastLines([a], {}, 10_000)
    assert.equal(lines.length, Math.floor((4 * 1024 * 1024) / 2_001))
    assert.ok(lines.every(({ text }) => text === filler))
  })
})

describe('followLines', () => {
  /** Follows; `take` gives the next lines, moving the clock as far as it takes. */
  function follow(t: TestContext, sources: () => readonly LogSource[]) {
    const clock = new VirtualClock()
    const leave = new AbortController()
    let timesAsked = 0
    const asked = (): readonly LogSource[] => {
      timesAsked++
      return sources()
    }
    const lines = followLines(asked, {}, clock, leave.signal)
    /** Resolves when it is known where each file ends: it asks for the files once for that, then to read on. */
    const begun = (): Promise<void> => until('it follows', async () => timesAsked > 1)
    t.after(() => leave.abort())
    const take = async (count: number): Promise<string[]> => {
      const taken: string[] = []
      while (taken.length < count) {
        let settled = false
        const next = lines.next().finally(() => {
          settled = true
        })
        // The clock is virtual, files are not.
        await until('there is a line', async () => {
          if (!settled) await clock.advance(50)
          return settled
        })
        const { value } = await next
        taken.push((value as LogLine).text)
      }
      return taken
    }
    return { take, begun, leave, lines, clock }
  }

  it('gives what is new, of processes that come later, too', async (t) => {
    const [a, b] = makeSources(t, 'a-1', 'b-1') as [LogSource, LogSource]
    writeFileSync(a.path, 'old\n')
    const sources = [a]
    const { take, begun, lines, leave } = follow(t, () => sources)
    const first = take(1)
    await begun()
    appendFileSync(a.path, 'new\n')
    assert.deepEqual(await first, ['new'])
    sources.push(b)
    writeFileSync(b.path, 'first words\n')
    assert.deepEqual(await take(1), ['first words'])
    const end = lines.next()
    leave.abort()
    assert.equal((await end).done, true)
  })

  it('gives a line when it is whole: cut inside a character, longer than a chunk, after a rotation', async (t) => {
    const [a] = makeSources(t, 'a-1') as [LogSource]
    writeFileSync(a.path, '')
    const { take, begun, clock } = follow(t, () => [a])
    const one = take(1)
    await begun()
    const bytes = Buffer.from('häuser\n')
    appendFileSync(a.path, bytes.subarray(0, 2))
    for (let turn = 0; turn < 10; turn++) await clock.advance(250)
    appendFileSync(a.path, bytes.subarray(2))
    assert.deepEqual(await one, ['häuser'])
    // 512 KiB is a chunk; its end falls inside an é.
    const many = Array.from({ length: 600 }, (_, index) => `${index}${'é'.repeat(1_000)}`)
    appendFileSync(a.path, `${many.join('\n')}\n`)
    assert.deepEqual(await take(600), many)
    appendFileSync(a.path, `${'x'.repeat(600 * 1024)}\nafter\n`)
    const pieces = await take(3)
    assert.equal(pieces.slice(0, 2).join('').length, 600 * 1024)
    assert.equal(pieces[2], 'after')
    truncateSync(a.path)
    appendFileSync(a.path, 'again\n')
    assert.deepEqual(await take(1), ['again'])
  })

  it('gives what was not read yet when a file is rotated, before what comes then', async (t) => {
    const [a] = makeSources(t, 'a-1') as [LogSource]
    writeFileSync(a.path, `${line(1)}\n`)
    const { take, begun } = follow(t, () => [a])
    const first = take(1)
    await begun()
    appendFileSync(a.path, `${line(2)}\n`)
    assert.deepEqual(await first, [line(2)])
    // Longer than a chunk, and than what is in the new file.
    const many = Array.from({ length: 700 }, (_, index) => line(3, { filler: `${index}${'é'.repeat(500)}` }))
    appendFileSync(a.path, `${many.join('\n')}\n`)
    copyFileSync(a.path, `${a.path}.1`)
    truncateSync(a.path)
    appendFileSync(a.path, `${line(4)}\n`)
    assert.deepEqual(await take(701), [...many, line(4)])
  })
})
