import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { seededRandom } from '../kernel/random.ts'
import { findFreePort } from './free-port.ts'

/** What another process finds whose chance is the same. */
async function foundElsewhere(seed: number): Promise<number> {
  const modules = ['../kernel/random', './free-port'].map((path) => import.meta.resolve(`${path}.js`))
  const program = `const [{ seededRandom }, { findFreePort }] = await Promise.all(${JSON.stringify(modules)}.map((path) => import(path)))
    console.log(await findFreePort(seededRandom(${seed})))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
  return Number(stdout)
}

describe('findFreePort', () => {
  it('gives no port twice while nobody listens on it yet, to other processes neither', async () => {
    const seed = process.pid
    const [first, second] = [await findFreePort(seededRandom(seed)), await findFreePort(seededRandom(seed))]
    const third = await foundElsewhere(seed)
    assert.equal(new Set([first, second, third]).size, 3, `${first}, ${second}, ${third}`)
  })

  it('passes over a port that somebody listens on', async (t) => {
    const seed = process.pid + 1
    // What this seed comes to first, free or not, is what another process is given that claims it and ends.
    const port = await foundElsewhere(seed)
    const server = createServer()
    t.after(() => server.close())
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    assert.notEqual(await findFreePort(seededRandom(seed)), port)
  })
})
