import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'

/** Runs the command line in a process of its own. */
function run(...args: string[]): {
  readonly exitCode: number | null
  readonly output: string
  readonly errors: string
} {
  const program = `import { main } from ${JSON.stringify(new URL('./main.js', import.meta.url).href)}
    process.exitCode = await main(process.argv.slice(1))`
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', program, '--', ...args],
    { encoding: 'utf8', timeout: 20_000, env: { NO_COLOR: '1' } },
  )
  return { exitCode: status, output: stdout, errors: stderr }
}

describe('main', () => {
  it('names a command it does not know, in one line, with exit status 2', () => {
    const { exitCode, output, errors } = run('fly')
    assert.equal(exitCode, 2)
    assert.equal(errors, 'error: there is no command fly; see: npx flotilla --help\n')
    assert.equal(output, '')
  })

  it('names an option it does not know, and the usage', () => {
    const { exitCode, errors } = run('up', '--colour', 'red')
    assert.equal(exitCode, 2)
    assert.match(errors, /^error: Unknown option '--colour'; usage: npx flotilla up .*\n$/)
  })

  it('helps who asks, with status 0, and who says nothing, with status 2', () => {
    for (const [args, exitCode] of [
      [['--help'], 0],
      [['help'], 0],
      [[], 2],
    ] as const) {
      const ran = run(...args)
      assert.equal(ran.exitCode, exitCode)
      assert.match(ran.output, /^usage: npx flotilla COMMAND[\s\S]* {2}up .*start everything/)
    }
  })

  it('explains a command', () => {
    const { exitCode, output } = run('scale', '--help')
    assert.equal(exitCode, 0)
    assert.match(output, /^usage: npx flotilla scale /)
    assert.match(output, /--json/)
  })
})
