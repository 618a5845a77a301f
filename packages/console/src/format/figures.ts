/**
 * Numbers as a person reads them: three figures at most, with their unit, always of about the same width.
 *
 * @module
 */

const NONE = '–'

/** A duration: `0.42 ms`, `18 ms`, `1.25 s`, `3 min 5 s`. */
export function duration(valueMs: number | null | undefined): string {
  if (valueMs === null || valueMs === undefined || !Number.isFinite(valueMs)) return NONE
  if (valueMs < 0) return `−${duration(-valueMs)}`
  if (valueMs < 999.5) return `${short(valueMs)} ms`
  if (valueMs < 59_950) return `${short(valueMs / 1_000)} s`
  return span(valueMs)
}

const STEPS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** A long time in its two largest units: `2 h 5 min`. */
function span(valueMs: number): string {
  const roundedMs = Math.round(valueMs / 1_000) * 1_000
  const first = STEPS.findIndex(([, unitMs]) => roundedMs >= unitMs)
  const [name, unitMs] = STEPS[first] ?? STEPS[3]
  const whole = Math.floor(roundedMs / unitMs)
  const next = STEPS[first + 1]
  const rest = next === undefined ? 0 : Math.floor((roundedMs % unitMs) / next[1])
  return `${whole} ${name}${rest > 0 && next ? ` ${rest} ${next[0]}` : ''}`
}

/** How often: `12.5/s`; `3/min` where it is less than once in ten seconds. */
export function rate(perSecond: number | null | undefined): string {
  if (perSecond === null || perSecond === undefined || !Number.isFinite(perSecond)) return NONE
  if (perSecond === 0) return '0/s'
  if (perSecond < 0.1) return `${short(perSecond * 60)}/min`
  return `${short(perSecond)}/s`
}

/** A share of one as a percentage: `0 %`, `0.02 %`, `99.9 %`. Only none is 0 and only all is 100. */
export function share(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE
  if (value > 0 && value < 0.000_1) return '<0.01 %'
  if (value < 1 && value >= 0.999_5) return '>99.9 %'
  const percent = value * 100
  return `${trimmed(percent.toFixed(percent < 1 ? 2 : 1))} %`
}

const SIZES = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** A size, in steps of 1,000. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE
  let rest = value
  let step = 0
  while (rest >= 999.5 && step < SIZES.length - 1) {
    rest /= 1_000
    step += 1
  }
  return `${short(rest)} ${SIZES[step]}`
}

/** A number of things, whole, with a thin space between thousands. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE
  return grouped(Math.round(value))
}

/** A number with at most three figures that matter: `0.042`, `1.25`, `18`, `12 400`. */
export function short(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 999.5) return grouped(Math.round(value))
  const digits = size >= 99.5 ? 0 : size >= 9.95 ? 1 : size >= 0.995 ? 2 : 3
  return trimmed(value.toFixed(digits))
}

/** A value of a metric, whose unit its name tells: `…_ms`, `…_seconds`, `…_bytes`, `…_ratio`. */
export function measured(name: string, value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE
  if (/_(?:ms|milliseconds)(?:_|$)/.test(name)) return duration(value)
  if (/_seconds(?:_|$)/.test(name)) return duration(value * 1_000)
  if (/_bytes(?:_|$)/.test(name)) return bytes(value)
  if (/_ratio(?:_|$)/.test(name)) return share(value)
  return short(value)
}

/** `1 service`, `2 services`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

function grouped(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, '\u202f')
}
