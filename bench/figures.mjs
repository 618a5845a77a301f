/**
 * What comes of a comparison: figures by side, their medians, and the verdicts beside the goals.
 *
 * @module
 */

/** Figures of repeats, by key. */
export class Figures {
  #lists = new Map()

  add(key, figures) {
    this.#lists.set(key, [...(this.#lists.get(key) ?? []), figures])
  }

  has(key) {
    return this.#lists.has(key)
  }

  /** Not a number when it was not measured. */
  median(key, field) {
    return medianOf((this.#lists.get(key) ?? []).map((figures) => figures[field]))
  }
}

/** The middle one; not a number when there is none. */
export function medianOf(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** What a share of the values is at most; they are sorted. */
export function quantileOf(sorted, share) {
  return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN
}

/**
 * The middle one, and between which two values of these the middle of all such values lies, with at least 95 % certainty where there are six
 * or more; it takes no distribution for granted.
 *
 * @source the sign test's interval, as in Conover, Practical Nonparametric Statistics, 3.2
 */
export function medianWithSpread(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const count = sorted.length
  let [rank, chance] = [0, 0.5 ** count]
  for (let term = chance; chance <= 0.025 && rank < count; rank++) {
    term *= (count - rank) / (rank + 1)
    chance += term
  }
  const [low = Number.NaN] = sorted.slice(Math.max(0, rank - 1))
  const [high = Number.NaN] = sorted.slice(Math.min(count - 1, count - Math.max(1, rank)))
  const middle = ((sorted[(count - 1) >> 1] ?? Number.NaN) + (sorted[count >> 1] ?? Number.NaN)) / 2
  return { median: middle, low, high }
}

/** Those that were chosen, comma-separated; else all. */
export function chosen(only, names) {
  const wanted = only?.split(',') ?? names
  const unknown = wanted.find((name) => !names.includes(name))
  if (unknown !== undefined) throw new Error(`there is no '${unknown}' but ${names.join(', ')}`)
  return wanted
}

/** The sides take turns: in every repeat, each gives figures by keys. */
export async function takeTurns(names, repeats, measure) {
  const figures = new Figures()
  for (let repeat = 1; repeat <= repeats; repeat++) {
    for (const name of names) {
      say(`repeat ${repeat} of ${repeats}: ${name}`)
      for (const [key, result] of await measure(name)) figures.add(key, result)
    }
  }
  say('')
  return figures
}

/** Tells what is going on, in place of what was said before. */
export function say(text) {
  if (process.stdout.isTTY) process.stdout.write(`\r${text.padEnd(60)}${text === '' ? '\r' : ''}`)
}

/** Prints lines of cells, the first to the left and all others to the right. */
export function showTable(head, lines) {
  const table = [head, ...lines]
  const widths = head.map((_, column) => Math.max(...table.map((cells) => cells[column].length)))
  for (const cells of table) {
    const [first, ...others] = cells.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]),
    )
    console.log([`  ${first}`, ...others].join('  '))
  }
}

/** Says whether a goal was kept, beside it. A figure that is no number: nothing is said of it. */
export function judge(what, figure, { atLeast, atMost, unit = 'x', digits = 2 }) {
  const isKept = atLeast === undefined ? figure <= atMost : figure >= atLeast
  const goal = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`
  const told = Number.isNaN(figure) ? 'not compared' : `${figure.toFixed(digits)} ${unit}`
  const verdict = Number.isNaN(figure) ? '-     ' : isKept ? 'kept  ' : 'missed'
  console.log(`${verdict} ${what}: ${told} (goal: ${goal})`)
}
