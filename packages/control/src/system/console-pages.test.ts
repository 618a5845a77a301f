import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { makeDataFolder } from '../testing/test-data-folder.ts'
import { consolePages } from './console-pages.ts'

describe('consolePages', () => {
  it('gives files by name, and the page itself for every other path below it', (t) => {
    const { path: folder } = makeDataFolder(t)
    for (const name of ['index.html', 'app-1.js', 'app-1.css', 'inputs.json', 'app-1.js.map'])
      writeFileSync(join(folder, name), name)
    const page = consolePages(folder)
    const bodyOf = (path: string): string => Buffer.from(page(path)?.body ?? '').toString()
    for (const path of ['/console/', '/console/traces', '/console/traces/abc', '/console/index.html'])
      assert.equal(bodyOf(path), 'index.html', path)
    const script = page('/console/app-1.js')
    assert.equal(script?.contentType, 'text/javascript; charset=utf-8')
    assert.match(script?.headers?.['cache-control'] ?? '', /immutable/)
    assert.equal(page('/console/')?.headers?.['cache-control'], 'no-cache')
    // What is no part of the page is not shown, and nothing outside of the folder.
    for (const path of ['inputs.json', 'app-1.js.map', 'app-2.js', '../control.json', '..%2fcontrol.json'])
      assert.equal(page(`/console/${path}`)?.status, 404, path)
    for (const path of ['/status', '/consolex', '/metrics']) assert.equal(page(path), undefined, path)
    for (const path of ['/', '/console'])
      assert.deepEqual([page(path)?.status, page(path)?.headers?.['location']], [302, '/console/'])
    for (const path of ['/', '/console/', '/console/app-1.js', '/console/none.js'])
      assert.match(
        page(path)?.headers?.['content-security-policy'] ?? '',
        /default-src 'none'.*frame-ancestors 'none'/,
      )
  })

  it('says so when it is not built', () => {
    assert.equal(consolePages(undefined)('/console/')?.status, 404)
    assert.match(String(consolePages(undefined)('/console/traces')?.body), /npm run build/)
  })
})
