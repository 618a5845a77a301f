/**
 * Hosts of our own that a comparison needs: their settings, and a client that calls them from outside.
 *
 * @module
 */
import { join } from 'node:path'
import { CallPolicies } from '@flotilla/core/call-policies'
import { anonymous } from '@flotilla/core/caller'
import { Cancellation } from '@flotilla/core/cancellation'
import { Client } from '@flotilla/core/client'
import { systemClock as clock } from '@flotilla/core/clock'
import { createKeyPair, Signer } from '@flotilla/core/credentials'
import { fixedDirectory } from '@flotilla/core/directory'
import { openFramesChannel } from '@flotilla/core/frames-channel'
import { createIds } from '@flotilla/core/ids'
import { Metrics } from '@flotilla/core/metrics'
import { systemRandom as random } from '@flotilla/core/random'
import { SpanRing } from '@flotilla/core/spans'
import { TimerWheel } from '@flotilla/core/timer-wheel'
import { TraceContext } from '@flotilla/core/trace-context'

/** The machine's own. */
export const ports = { clock, random, newId: createIds(clock, random) }

/** Key pairs of processes and of user tokens. */
export function createKeys() {
  return { process: createKeyPair(), user: createKeyPair() }
}

/** What a process shows to others; good for an hour. */
export function credentialOf(keys, instance, services) {
  const signer = new Signer(keys.process.privateKey)
  return signer.process({ instance, services, expiresAt: clock.now() + 3_600_000 })
}

/** The socket of an instance. */
export function socketOf(folder, instance) {
  return join(folder, `${instance}.sock`)
}

/** The environment of a host; `registry` names the instance that has it, absent: none, or this one. */
export function hostEnvironment({ folder, keys, instance, services, registry }) {
  return {
    FLOTILLA_SERVICES: services.join(','),
    FLOTILLA_INSTANCE: instance,
    FLOTILLA_FRAMES: `unix:${socketOf(folder, instance)}`,
    FLOTILLA_REGISTRY: registry === undefined ? '' : `unix:${socketOf(folder, registry)}`,
    FLOTILLA_PROCESS_KEY: keys.process.publicKey,
    FLOTILLA_USER_KEY: keys.user.publicKey,
    FLOTILLA_CREDENTIAL: credentialOf(keys, instance, services),
    FLOTILLA_LOG_LEVEL: 'warn',
  }
}

/**
 * A client of instances that never change, with everything on that is by default; it speaks as the service `caller`.
 *
 * @param instances `{service, instance, path}`
 */
export function openClient({ credential, instances, policies = {}, channelOptions = {} }) {
  const wheel = new TimerWheel(clock)
  const metrics = new Metrics()
  const paths = new Map(instances.map(({ instance, path }) => [instance, path]))
  const client = new Client({
    ports,
    metrics,
    spans: new SpanRing(),
    policies: new CallPolicies(policies),
    directory: fixedDirectory(
      instances.map(({ instance, service, path }) => {
        return { instance, service, version: '', frames: `unix:${path}`, http: '' }
      }),
    ),
    localChannel: () => undefined,
    openChannel: ({ instance }) =>
      openFramesChannel({
        address: { kind: 'unix', path: paths.get(instance) },
        clock,
        wheel,
        callers: ['caller'],
        credential,
        ...channelOptions,
      }),
  })
  return { client, metrics }
}

/** The context of a call, by nobody unless told. */
export function callContext({ deadlineMs = Number.POSITIVE_INFINITY, caller = anonymous } = {}) {
  return {
    caller,
    deadlineMs,
    trace: TraceContext.start(random, false),
    criticality: 'critical',
    cancellation: new Cancellation(),
  }
}
