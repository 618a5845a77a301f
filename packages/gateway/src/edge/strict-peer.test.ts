/**
 * Other people's proxies, where they are installed: nginx, HAProxy and Apache, each as a process of its own with a configuration of its own.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { findFreePort } from '@flotilla/core/free-port'
import { until } from '@flotilla/core/until'

/** A way through a proxy: from where it listens to where it passes on. */
export interface Way {
  readonly from: number
  readonly to: number
}

/** A proxy. */
export interface PeerKind {
  readonly name: string
  /** Programs that it may be called by. */
  readonly programs: readonly string[]
  readonly argumentsWith: (configuration: string) => readonly string[]
  readonly configuration: (ways: readonly Way[], folder: string) => string
}

const nginx: PeerKind = {
  name: 'nginx',
  programs: ['nginx'],
  argumentsWith: (configuration) => ['-c', configuration],
  configuration: (ways, folder) => `daemon off;
master_process off;
pid ${folder}/pid;
error_log ${folder}/error.log;
events { worker_connections 256; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_request_buffering off;
${ways
  .map(
    ({ from, to }) => `  upstream way_${from} { server 127.0.0.1:${to}; keepalive 4; }
  server { listen 127.0.0.1:${from}; location / { proxy_pass http://way_${from}; } }`,
  )
  .join('\n')}
}
`,
}

const haproxy: PeerKind = {
  name: 'HAProxy',
  programs: ['haproxy'],
  argumentsWith: (configuration) => ['-db', '-f', configuration],
  configuration: (ways) => `defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
  http-reuse always
${ways
  .map(
    ({ from, to }) => `listen way_${from}
  bind 127.0.0.1:${from}
  server behind 127.0.0.1:${to}`,
  )
  .join('\n')}
`,
}

const MODULES = '/usr/lib/apache2/modules'
const apache: PeerKind = {
  name: 'Apache',
  programs: ['apache2'],
  argumentsWith: (configuration) => ['-D', 'FOREGROUND', '-f', configuration],
  configuration: (ways, folder) => `${['mpm_event', 'authz_core', 'proxy', 'proxy_http']
    .map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`)
    .join('\n')}
ServerRoot ${folder}
ServerName gateway.test
DefaultRuntimeDir ${folder}
PidFile ${folder}/pid
ErrorLog ${folder}/error.log
User nobody
Group nogroup
AllowEncodedSlashes NoDecode
ProxyPreserveHost On
${ways
  .map(
    ({ from, to }) => `Listen 127.0.0.1:${from}
<VirtualHost 127.0.0.1:${from}>
  ProxyPass / http://127.0.0.1:${to}/ nocanon
</VirtualHost>`,
  )
  .join('\n')}
`,
}

/** All of them. */
export const peers: readonly PeerKind[] = [nginx, haproxy, apache]

/** The path of its program; undefined when it is not installed. */
export function installed({ programs }: PeerKind): string | undefined {
  // Where Debian has servers, which is not in everybody's path.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']
  return programs
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path))
}

/** Opens a proxy with a way to each of these ports; gives where they begin. */
export async function openPeer(
  t: { after(cleanUp: () => Promise<void>): void },
  kind: PeerKind,
  to: readonly number[],
): Promise<readonly number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-peer-'))
  t.after(async () => rmSync(folder, { recursive: true, force: true }))
  const ways: Way[] = []
  for (const port of to) ways.push({ from: await findFreePort(), to: port })
  const configuration = join(folder, 'configuration')
  writeFileSync(configuration, kind.configuration(ways, folder))
  const child = spawn(installed(kind) as string, kind.argumentsWith(configuration), {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  t.after(() => ended(child))
  for (const { from } of ways) {
    await until(`${kind.name} listens`, async () => {
      if (child.exitCode !== null) throw new Error(`${kind.name} does not start: ${errors}`)
      return listens(from)
    })
  }
  return ways.map(({ from }) => from)
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
