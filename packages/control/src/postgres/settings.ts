/**
 * How the embedded server is set up: safe with data, small when idle. Given on its command line, so that a new version of
 * Flotilla brings its own.
 *
 * @source https://www.postgresql.org/docs/18/runtime-config.html
 * @module
 */

/** Settings by name. */
export type Settings = Readonly<Record<string, string>>

/** Everything but where it listens. */
const fixed: Settings = {
  // Loopback only, and no socket file: the data folder's path may be longer than a socket's name can be.
  unix_socket_directories: '',

  // An acknowledged commit is on disk, also after kill -9 or a power cut.
  synchronous_commit: 'on',
  fsync: 'on',
  full_page_writes: 'on',
  // No replicas and no backups by log shipping: then less has to be logged, and two processes fewer run.
  wal_level: 'minimal',
  max_wal_senders: '0',
  // Bounds the log between checkpoints, and with it the time of recovery and the space on disk.
  max_wal_size: '256MB',
  min_wal_size: '32MB',

  // The whole fleet idles in 900 MB. The system's file cache does the rest of the work.
  shared_buffers: '64MB',
  work_mem: '4MB',
  maintenance_work_mem: '32MB',
  // Each is a process, or memory for one, that a small server does without: parallel workers (two cores are busy with
  // other calls), logical replication, I/O workers (three of them by default).
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  max_logical_replication_workers: '0',
  max_worker_processes: '2',
  autovacuum_max_workers: '2',
  autovacuum_worker_slots: '4',
  io_method: 'sync',
  // Compiling queries pays for minutes of analytics; for lookups it costs more than they do.
  jit: 'off',

  // Whatever the machine says, times and texts mean the same.
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',

  // To standard error, which is our log file. Not the details of errors: they quote rows.
  logging_collector: 'off',
  log_destination: 'stderr',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  log_line_prefix: '%m [%p] %q%u@%d ',
  log_checkpoints: 'off',
}

/**
 * After a crash everything on disk is written out before recovery begins: with a thousand files for each database of a fleet, one
 * by one that takes longer than all the rest together. Only Linux can do it for a whole file system at once.
 */
const byPlatform: Settings = process.platform === 'linux' ? { recovery_init_sync_method: 'syncfs' } : {}

/** As command-line arguments. */
export function serverArguments(port: number, connectionsMax: number): readonly string[] {
  const settings: Settings = {
    ...fixed,
    ...byPlatform,
    listen_addresses: '127.0.0.1',
    port: String(port),
    max_connections: String(connectionsMax),
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}
