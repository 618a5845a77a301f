/**
 * What the operator says about calls, by the service that is called and its operation. It may change at any time: who uses it compares
 * generations, which costs a call next to nothing.
 *
 * @module
 */
import { type BalanceSettings, defaultBalance } from '../balance/balancer.ts'
import { policyNames } from '../balance/policies.ts'
import { type Contract, operationsOf } from '../contract/contract.ts'
import type { Operation } from '../contract/operation.ts'
import { closed, lazyCheck, type Static, Type } from '../contract/schema.ts'
import type { BudgetPolicy } from '../resilience/budget.ts'

/** What stands before a field that calls are told apart by. */
const INPUT = 'input.'

const BalancePolicy = Type.Partial(
  Type.Object({
    policy: Type.Enum(policyNames, { description: 'who gets the next call' }),
    panicShare: Type.Number({
      minimum: 0,
      maximum: 1,
      description: 'below this share of available instances all of them are used; 0: never',
    }),
    key: Type.String({
      pattern: '^(user|input\\.[A-Za-z][A-Za-z0-9]*)$',
      description: 'what consistent_hash goes by: user, or input.FIELD',
    }),
  }),
)

const Rules = Type.Partial(
  Type.Object({
    breaker: Type.Boolean({ description: 'refuse calls on the spot for a while when half of them fail' }),
    hedging: Type.Boolean({
      description: 'send a query that takes unusually long to a second instance, too',
    }),
    refuseLate: Type.Boolean({
      description: 'do not send what has less time left than half of all calls take',
    }),
    inFlightMax: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      description: 'calls on their way from one process at the same time',
    }),
  }),
)

const Retries = Type.Partial(
  Type.Object({
    ratio: Type.Number({ minimum: 0, maximum: 2, description: 'retries and hedges per call' }),
    floorPerSec: Type.Number({ minimum: 0, maximum: 1_000, description: 'retries that are always allowed' }),
  }),
)

/** Policies of one operation. */
const OperationPolicies = Type.Partial(Type.Object({ balance: BalancePolicy, calls: Rules }))

/** Says what is wrong with policies of calls. */
export const servicePoliciesCheck = lazyCheck(
  closed(
    Type.Record(
      Type.String(),
      Type.Partial(
        Type.Object({
          balance: Type.Partial(
            Type.Object({
              ...BalancePolicy.properties,
              subset: Type.Integer({
                minimum: 1,
                maximum: 1_000,
                description: 'instances that one process calls at the most',
              }),
            }),
          ),
          calls: Rules,
          retries: Retries,
          operations: Type.Record(Type.String(), OperationPolicies),
        }),
      ),
    ),
  ),
)

type BalancePolicy = Static<typeof BalancePolicy>

/** Policies of one operation: those that are not given are its service's, or the defaults. */
interface OperationPolicies {
  readonly balance?: BalancePolicy
  readonly calls?: Partial<CallRules>
}

/** Whether and how calls are kept from being sent, or sent twice. */
export interface CallRules {
  /** Refuse calls on the spot for a while when half of them fail. */
  readonly breaker: boolean
  /** Send a query that takes unusually long to a second instance, too. */
  readonly hedging: boolean
  /** Do not send what has less time left than half of all calls take. */
  readonly refuseLate: boolean
  /** Calls on their way from this process at the same time. */
  readonly inFlightMax: number
}

/** What holds where nobody said otherwise: the places are those of four instances. */
export const defaultRules: CallRules = {
  breaker: true,
  hedging: true,
  refuseLate: true,
  inFlightMax: 1_024,
}

/** A tenth of the calls may be made again; one a second always. */
export const defaultRetries: BudgetPolicy = { ratio: 0.1, floorPerSec: 1 }

/** Policies of calls by service; those of an operation go before those of its service. */
export type ServicePolicies = Readonly<
  Record<
    string,
    OperationPolicies & {
      readonly balance?: BalancePolicy & { readonly subset?: number }
      readonly retries?: Partial<BudgetPolicy>
      readonly operations?: Readonly<Record<string, OperationPolicies>>
    }
  >
>

/**
 * Mistakes that the schema cannot see: services, operations and input fields that are named and not there. Each as
 * `pointer: what is wrong`.
 *
 * @param known contracts by service; undefined where there is the service and its contract is not known here: what its callers see
 */
export function mistakesInCalls(
  policies: ServicePolicies,
  known: ReadonlyMap<string, Contract | undefined>,
): readonly string[] {
  return Object.entries(policies).flatMap(([service, { balance, operations = {} }]) => {
    if (!known.has(service)) return [`/${service}: there is no such service`]
    const contract = known.get(service)
    if (contract === undefined) return []
    const all = operationsOf(contract)
    const mistakes = mistakesInKey(`/${service}`, balance, all)
    for (const [name, own] of Object.entries(operations)) {
      const pointer = `/${service}/operations/${name}`
      const its = all.filter((operation) => operation.name === name)
      if (its.length === 0) mistakes.push(`${pointer}: there is no such operation`)
      else mistakes.push(...mistakesInKey(pointer, own.balance, its))
    }
    return mistakes
  })
}

/** A field that none of these operations takes tells nobody apart. */
function mistakesInKey(
  pointer: string,
  balance: BalancePolicy | undefined,
  operations: readonly Operation[],
): string[] {
  const key = balance?.key
  if (!key?.startsWith(INPUT)) return []
  const field = key.slice(INPUT.length)
  const fieldsOf = ({ input }: Operation): object => (input as { properties?: object }).properties ?? {}
  const isThere = operations.some((operation) => Object.hasOwn(fieldsOf(operation), field))
  return isThere ? [] : [`${pointer}/balance/key: there is no such input field`]
}

/** How calls of one operation are balanced. */
export interface BalanceChoice extends BalanceSettings {
  /** Calls with the same one belong together: `user`, or `input.FIELD`. */
  readonly key: string | undefined
}

/** The policies that hold now. */
export class CallPolicies {
  #generation = 0
  #policies: ServicePolicies

  constructor(policies: ServicePolicies = {}) {
    this.#policies = policies
  }

  /** Another number after every change. */
  get generation(): number {
    return this.#generation
  }

  /** From now on these hold, and no others. */
  replace(policies: ServicePolicies): void {
    this.#policies = policies
    this.#generation++
  }

  /** How calls are balanced: of the service in general, or of one of its operations. */
  balanceOf(service: string, operation?: string): BalanceChoice {
    const { balance, operations = {} } = this.#policies[service] ?? {}
    const own = operation === undefined ? undefined : operations[operation]?.balance
    return { ...defaultBalance, key: undefined, ...balance, ...own }
  }

  /** What keeps calls of an operation from being sent, or has them sent twice. */
  rulesOf(service: string, operation: string): CallRules {
    const { calls, operations = {} } = this.#policies[service] ?? {}
    return { ...defaultRules, ...calls, ...operations[operation]?.calls }
  }

  /** How much extra load retries and hedges to a service may make. */
  retriesOf(service: string): BudgetPolicy {
    return { ...defaultRetries, ...this.#policies[service]?.retries }
  }

  /** How many instances of a service one process calls at the most. */
  subsetOf(service: string): number {
    return this.#policies[service]?.balance?.subset ?? Number.POSITIVE_INFINITY
  }
}
