/**
 * What the operator says about calls, by the service that is called and its operation. It may change at any time: who uses it compares
 * generations, which costs a call next to nothing.
 *
 * @module
 */
import { type BalanceSettings, defaultBalance } from '../balance/balancer.ts'
import { policyNames } from '../balance/policies.ts'
import { closed, lazyCheck, type Static, Type } from '../contract/schema.ts'

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

/** Policies of one operation. */
const OperationPolicies = Type.Partial(Type.Object({ balance: BalancePolicy }))

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
          operations: Type.Record(Type.String(), OperationPolicies),
        }),
      ),
    ),
  ),
)

type BalancePolicy = Static<typeof BalancePolicy>

/** Policies of calls by service; those of an operation go before those of its service. */
export type ServicePolicies = Readonly<
  Record<
    string,
    {
      readonly balance?: BalancePolicy & { readonly subset?: number }
      readonly operations?: Readonly<Record<string, { readonly balance?: BalancePolicy }>>
    }
  >
>

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

  /** How many instances of a service one process calls at the most. */
  subsetOf(service: string): number {
    return this.#policies[service]?.balance?.subset ?? Number.POSITIVE_INFINITY
  }
}
