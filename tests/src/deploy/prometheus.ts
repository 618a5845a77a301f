/**
 * Debian's Prometheus as a test runs it: what deploy/ has for it, each second, with data and a port of its own.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from '@flotilla/core/free-port'
import { until } from '@flotilla/core/until'
import { parse, stringify } from 'yaml'

/** Built, this file lies in tests/dist/deploy. */
const FOLDER = join(import.meta.dirname, '../../../deploy/prometheus')

/** For `describe`: why there is none here; false when there is. */
export const isWithoutPrometheus: false | string =
  spawnSync('prometheus', ['--version']).error === undefined
    ? false
    : 'prometheus is not installed: apt-get install prometheus'

/** A series of an answer, at one moment. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [timeS: number, value: string]
}

/** A process that is scraped. */
export interface ScrapedTarget {
  readonly labels: Readonly<Record<string, string>>
  readonly scrapeUrl: string
  readonly lastError: string
  readonly health: 'up' | 'down' | 'unknown'
}

/** A running one. */
export interface Prometheus {
  /** Answers of its API; what goes wrong is an assertion. */
  ask<T>(path: string, query?: Readonly<Record<string, string>>): Promise<T>
  query(expr: string): Promise<readonly Sample[]>
  targets(): Promise<readonly ScrapedTarget[]>
  /** What it has complained of: warnings, and worse. */
  complaints(): string
}

interface Reply {
  readonly status: string
  readonly data: unknown
  readonly error?: string
}

interface Configuration {
  readonly global: Readonly<Record<string, string>>
  readonly scrape_configs: readonly { readonly http_sd_configs: readonly { readonly url: string }[] }[]
}

/** Starts it for a system whose control API is at `control`; ended after the test. */
export async function openPrometheus(
  t: { after(cleanUp: () => Promise<void>): void },
  control: string,
): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-prometheus-'))
  const origin = `127.0.0.1:${await findFreePort()}`
  writeFileSync(join(folder, 'prometheus.yml'), stringify(configuration(control)))
  const child = spawn(
    'prometheus',
    [
      '--config.file=prometheus.yml',
      '--storage.tsdb.path=data',
      `--web.listen-address=${origin}`,
      '--log.level=warn',
    ],
    { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  t.after(async () => {
    process.removeListener('exit', kill)
    kill()
    await ended
    rmSync(folder, { recursive: true })
  })
  await until('prometheus is ready', async () => {
    assert.equal(child.exitCode, null, complaints)
    const answer = await fetch(`http://${origin}/-/ready`).catch(() => undefined)
    return answer?.status === 200
  })
  const ask: Prometheus['ask'] = async (path, query = {}) => {
    const answer = await fetch(`http://${origin}/api/v1/${path}?${new URLSearchParams(query)}`)
    const { status, data, error } = (await answer.json()) as Reply
    assert.equal(status, 'success', `${query['query'] ?? path}: ${error}`)
    return data as never
  }
  return {
    ask,
    query: async (query) => (await ask<{ readonly result: readonly Sample[] }>('query', { query })).result,
    targets: async () =>
      (await ask<{ readonly activeTargets: readonly ScrapedTarget[] }>('targets')).activeTargets,
    complaints: () => complaints,
  }
}

/** That of deploy/, for another port, and quicker. */
function configuration(control: string): object {
  const shipped = parse(readFileSync(join(FOLDER, 'prometheus.yml'), 'utf8')) as Configuration
  return {
    ...shipped,
    global: { ...shipped.global, scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [join(FOLDER, 'rules.yml')],
    scrape_configs: shipped.scrape_configs.map((job) => ({
      ...job,
      http_sd_configs: job.http_sd_configs.map(({ url }) => ({
        url: url.replace('http://127.0.0.1:8090', control),
        refresh_interval: '1s',
      })),
    })),
  }
}
