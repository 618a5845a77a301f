/**
 * What is watched without anybody having asked for it.
 *
 * @module
 */
import type { ObjectiveSpec, RuleSpec } from './rule-spec.ts'

/** Answers that are the system's fault; 501 is the caller's, who asks for what is not there. */
const FAILED_STATUSES = ['500', '502', '503', '504']
const FAILED_CODES = ['unknown', 'deadline_exceeded', 'internal', 'unavailable', 'data_loss']

const requests = 'flotilla_gateway_requests_total'

const edge = {
  slow_requests: {
    severity: 'warning',
    summary: '{operation}: 1 % of requests take longer than {value}',
    of: { metric: 'flotilla_gateway_duration_seconds', as: 'quantile', quantile: 0.99 },
    by: ['operation'],
    above: 1,
    unit: 'seconds',
    over: '5m',
    for: '2m',
    minRate: 0.05,
  },
  failing_requests: {
    severity: 'critical',
    summary: '{operation}: {value} of requests fail',
    of: { metric: requests, where: { status: FAILED_STATUSES }, as: 'rate' },
    per: { metric: requests, as: 'rate' },
    by: ['operation'],
    above: 0.05,
    unit: 'share',
    over: '5m',
    for: '1m',
    minRate: 0.05,
  },
  certificate_refused: {
    severity: 'warning',
    summary: '{process}: the new certificate cannot be used',
    of: { metric: 'flotilla_gateway_certificate_refused', merge: 'max' },
    by: ['process'],
    above: 0,
  },
  certificate_expires: {
    severity: 'critical',
    summary: '{process}: the certificate expires in {value}',
    of: { metric: 'flotilla_gateway_certificate_expires_seconds', merge: 'min' },
    by: ['process'],
    below: 7 * 86_400,
    unit: 'seconds',
  },
} as const satisfies Record<string, RuleSpec>

const services = {
  failing_calls: {
    severity: 'warning',
    summary: '{service}: {value} of its answers are failures',
    of: { metric: 'flotilla_server_calls_total', where: { code: FAILED_CODES }, as: 'rate' },
    per: { metric: 'flotilla_server_calls_total', as: 'rate' },
    by: ['service'],
    above: 0.05,
    unit: 'share',
    over: '5m',
    for: '1m',
    minRate: 0.05,
  },
  shedding: {
    severity: 'warning',
    summary: '{process} refuses less important calls, because its event loop is late',
    of: { metric: 'flotilla_shedding_level', merge: 'max' },
    by: ['process'],
    above: 0,
    for: '1m',
  },
  registry_stale: {
    severity: 'warning',
    summary: '{process} does not know whether its list of instances is new',
    of: { metric: 'flotilla_registry_stale', merge: 'max' },
    by: ['process'],
    above: 0,
    for: '30s',
  },
  policies_refused: {
    severity: 'warning',
    summary: '{process}: the policy file has mistakes; what held before goes on holding',
    of: { metric: 'flotilla_policies_refused', merge: 'max' },
    by: ['process'],
    above: 0,
  },
} as const satisfies Record<string, RuleSpec>

const work = {
  queue_lag: {
    severity: 'warning',
    summary: '{group} is {value} events behind',
    of: { metric: 'flotilla_group_lag', merge: 'max' },
    by: ['group'],
    above: 1_000,
    for: '2m',
  },
  parked_sagas: {
    severity: 'critical',
    summary: '{value} sagas {saga} are parked: somebody must find out why',
    of: { metric: 'flotilla_sagas', where: { status: 'parked' }, merge: 'max' },
    by: ['saga'],
    above: 0,
  },
  events_given_up: {
    severity: 'warning',
    summary: 'Within the last hour {group} gave up events that it could not handle',
    of: { metric: 'flotilla_events_dead_total', as: 'rate' },
    by: ['group'],
    above: 0,
    over: '1h',
  },
  dead_events: {
    severity: 'critical',
    summary: '{value} events that {service} could not handle wait for somebody to decide',
    of: { metric: 'flotilla_dead_events', merge: 'max' },
    by: ['service'],
    above: 0,
  },
} as const satisfies Record<string, RuleSpec>

const machine = {
  no_instance: {
    severity: 'critical',
    summary: 'No process of {host} is ready',
    of: { metric: 'flotilla_process_up' },
    by: ['host'],
    below: 1,
    // Short, for what was said of an instance that has gone would count as well.
    over: '15s',
    for: '15s',
  },
  nothing_heard: {
    severity: 'critical',
    summary: 'Nothing is heard of any process',
    absent: { metric: 'flotilla_process_up' },
    for: '1m',
  },
  busy_process: {
    severity: 'warning',
    summary: '{process} uses {value} of a core',
    of: { metric: 'flotilla_process_cpu_ratio', merge: 'max' },
    by: ['process'],
    above: 0.8,
    unit: 'share',
    for: '5m',
  },
  busy_machine: {
    severity: 'warning',
    summary: 'The machine has work for {value} of its cores',
    of: { metric: 'flotilla_machine_load_ratio', merge: 'max' },
    above: 0.8,
    unit: 'share',
    for: '5m',
  },
  little_memory: {
    severity: 'critical',
    summary: 'Only {value} of the memory is left',
    of: { metric: 'flotilla_machine_memory_bytes', where: { kind: 'available' }, merge: 'max' },
    per: { metric: 'flotilla_machine_memory_bytes', where: { kind: 'total' }, merge: 'max' },
    below: 0.15,
    unit: 'share',
    for: '1m',
  },
} as const satisfies Record<string, RuleSpec>

/** The rules, by name. */
export const defaultRules: Readonly<Record<string, RuleSpec>> = { ...edge, ...services, ...work, ...machine }

/** The objectives, by name. */
export const defaultObjectives: Readonly<Record<string, ObjectiveSpec>> = {
  availability: {
    summary: 'Requests fail',
    objective: 0.999,
    bad: { metric: requests, where: { status: FAILED_STATUSES } },
    total: { metric: requests },
    minRate: 0.05,
  },
  speed: {
    summary: 'Requests take longer than a second',
    objective: 0.99,
    // Buckets end at powers of two of microseconds.
    good: { metric: 'flotilla_gateway_duration_seconds_bucket', where: { le: '1.048576' } },
    total: { metric: 'flotilla_gateway_duration_seconds_count' },
    minRate: 0.05,
  },
}
