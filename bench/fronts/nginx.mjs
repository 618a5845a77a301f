/**
 * nginx: what stands behind every HTTP front, a proxy, and a proxy that keeps answers.
 *
 * One worker each, as it comes but for these: no access log, connections are kept and reused for any number of requests, on both
 * sides. Nothing is checked, limited or counted.
 *
 * @module
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ended, freePort, MEASURED_CORE, OTHER_CORE, startProgram, until } from '../children.mjs'
import { body } from '../gateway-app.mjs'
import { childrenOf } from '../proc.mjs'

const PATH = '/api/v1/products/AUD-0007'
const KEEP = 'keepalive_requests 1000000000;'

/** What stands behind: an answer from its configuration. */
export async function openBack(folder) {
  const port = await freePort()
  const nginx = await startNginx(
    folder,
    'back',
    OTHER_CORE,
    `server { listen 127.0.0.1:${port}; ${KEEP}
      location / { default_type application/json; return 200 '${body}'; } }`,
  )
  return { port, origin: `http://127.0.0.1:${port}`, close: () => ended(nginx) }
}

/** A proxy. */
export function openNginx(folder) {
  return openProxy(folder, '', '')
}

/** A proxy that keeps answers for an hour: their files in the page cache of the system, the open ones remembered. */
export function openNginxCache(folder) {
  return openProxy(
    folder,
    `proxy_cache_path ${folder}/kept levels=1:2 keys_zone=kept:10m; open_file_cache max=1000; sendfile on; tcp_nopush on;`,
    'proxy_cache kept; proxy_cache_valid 200 1h;',
  )
}

async function openProxy(folder, inHttp, inLocation) {
  const back = await openBack(folder)
  const port = await freePort()
  const proxy = await startNginx(
    folder,
    'front',
    MEASURED_CORE,
    `${inHttp}
    upstream back { server 127.0.0.1:${back.port}; keepalive 512; ${KEEP} }
    server { listen 127.0.0.1:${port}; ${KEEP}
      location / { ${inLocation}
        proxy_pass http://back; proxy_http_version 1.1; proxy_set_header Connection ''; } }`,
  )
  return {
    url: `http://127.0.0.1:${port}${PATH}`,
    headers: {},
    pids: () => childrenOf(proxy.pid),
    async close() {
      await ended(proxy)
      await back.close()
    },
  }
}

async function startNginx(folder, name, core, inHttp) {
  const path = join(folder, `${name}.conf`)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/${name}-${kind};`)
    .join(' ')
  // Root would let its workers run as somebody who may not read the folder.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  writeFileSync(
    path,
    `daemon off; ${user} worker_processes 1; pid ${folder}/${name}.pid; error_log ${folder}/${name}.log;
    events { worker_connections 4096; }
    http { access_log off; ${temporary} ${inHttp} }`,
  )
  const nginx = startProgram(core, 'nginx', ['-c', path, '-p', folder], { isHeard: true })
  await until('nginx has a worker', () => childrenOf(nginx.pid).length > 0)
  return nginx
}
