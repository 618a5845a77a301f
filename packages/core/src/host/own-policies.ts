/**
 * What the policy file says to one service.
 *
 * @module
 */

/** Keeps it, and tells of its changes. */
export class OwnPolicies {
  readonly #listeners: ((value: unknown) => void)[] = []
  #value: unknown

  /** Calls `listener` with what holds now, and again after each change; undefined: the file says nothing. */
  follow(listener: (value: unknown) => void): void {
    this.#listeners.push(listener)
    listener(this.#value)
  }

  /** From now on this holds. */
  replace(value: unknown): void {
    this.#value = value
    for (const listener of this.#listeners) listener(value)
  }
}
