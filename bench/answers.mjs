/**
 * How soon questions were answered: `{ms, isComplete}` of each time that one was asked, by the name of the question.
 *
 * @module
 */
import { quantileOf, showTable } from './figures.mjs'

const sorted = (all) => all.map(({ ms }) => ms).toSorted((a, b) => a - b)

/** Prints a line for each question. */
export function showAnswers(answersMs) {
  showTable(
    ['question', 'asked', 'median ms', 'p95', 'slowest', 'complete'],
    Object.entries(answersMs).map(([name, all]) => {
      const complete = all.filter(({ isComplete }) => isComplete).length
      return [
        name,
        String(all.length),
        ...[0.5, 0.95, 1].map((share) => quantileOf(sorted(all), share).toFixed(0)),
        `${Math.round((complete / all.length) * 100)} %`,
      ]
    }),
  )
}

/** The p95 of the question that is slowest by it. */
export function slowestP95(answersMs) {
  return Math.max(...Object.values(answersMs).map((all) => quantileOf(sorted(all), 0.95)))
}
