/**
 * What commands print: lines for people, or JSON for programs.
 *
 * @module
 */
import { styleText } from 'node:util'

/**
 * Characters that would steer a terminal, but for ends of lines, tabs and the styles below: who writes what a service logs must not move its reader's
 * cursor, name his window or hide lines.
 */
const STEERING = /(\p{Cc}|\p{Bidi_Control})(\[(?:1|2|22|3[1236]|39)m)?/gu
const ESCAPE = '\u001b'

/** Styles used for people. */
type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** Where commands print. */
export class Terminal {
  readonly #isJson: boolean
  readonly #hasColour: boolean
  readonly #out: NodeJS.WritableStream
  readonly #err: NodeJS.WritableStream
  #isRead = true

  constructor(options: { readonly isJson: boolean; readonly hasColour: boolean }) {
    this.#isJson = options.isJson
    this.#hasColour = options.hasColour
    this.#out = process.stdout
    this.#err = process.stderr
    for (const stream of [this.#out, this.#err]) {
      stream.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE') throw error
        // Whoever reads has seen enough, as in `flotilla logs | head`; what we do goes on without.
        this.#isRead = false
      })
    }
  }

  get isJson(): boolean {
    return this.#isJson
  }

  /** How wide it is; undefined when a file or a program reads. */
  get columns(): number | undefined {
    return process.stdout.columns
  }

  /** False when nobody reads any more what is printed. */
  get isRead(): boolean {
    return this.#isRead
  }

  /** The result of a command: the value as JSON, or the lines that say it to people. */
  result(value: unknown, lines: () => readonly string[]): void {
    if (this.#isJson) this.#out.write(`${JSON.stringify(value, undefined, 2)}\n`)
    else for (const line of lines()) this.#out.write(`${harmless(line)}\n`)
  }

  /** A line for people, printed at once; not part of a JSON result. */
  line(text: string): void {
    ;(this.#isJson ? this.#err : this.#out).write(`${harmless(text)}\n`)
  }

  /** One piece of a result that goes on for ever. */
  item(value: unknown, line: () => string): void {
    this.#out.write(`${this.#isJson ? JSON.stringify(value) : harmless(line())}\n`)
  }

  error(text: string): void {
    this.#err.write(`${this.style('red', 'error:')} ${harmless(text)}\n`)
  }

  style(style: Style, text: string): string {
    return this.#hasColour && text !== '' ? styleText(style, text) : text
  }
}

/** A text in which what would steer a terminal is seen. */
export function harmless(text: string): string {
  return text.replace(STEERING, (all, one: string, style = '') => {
    const isFine = one === '\n' || one === '\t' || (one === ESCAPE && style !== '')
    return isFine ? all : `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}${style}`
  })
}

/** Rows in columns, as wide as their longest cell; the last column is as long as it is. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length)
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}
