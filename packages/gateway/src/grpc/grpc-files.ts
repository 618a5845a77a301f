/**
 * The .proto files that the policies name, read while the policies are checked: they hold together with them or not at all.
 *
 * @module
 */
import { resolve, sep } from 'node:path'
import type { GatewayPolicies, RoutePolicy } from '../policy/gateway-policies.ts'
import type { GrpcPolicy } from '../policy/grpc-policies.ts'
import { Binding, type BindingRule, mistakesInRule } from './binding.ts'
import { type HttpRule, rulesOf } from './http-rules.ts'
import { readTemplate } from './path-template.ts'
import { readProto } from './proto-file.ts'
import type { GrpcMethod, ProtoFile } from './shape.ts'

/** A route to a method. */
export interface GrpcRoute {
  readonly method: GrpcMethod
  readonly binding: Binding
}

/** Policies, and what was read for them. */
export interface WithGrpc {
  /** With the routes that annotations name behind those of the file. */
  readonly policies: GatewayPolicies
  readonly routes: ReadonlyMap<RoutePolicy, GrpcRoute>
}

type Annotated = NonNullable<GrpcPolicy['annotated']>
type RouteMethods = NonNullable<RoutePolicy['match']['methods']>

/** Those of all policies that are in use. */
export class GrpcFiles {
  readonly #read = new WeakMap<GatewayPolicies, WithGrpc>()

  /**
   * Mistakes in the files and in what the policies say of them, as `pointer: what is wrong`; without any, `of` gives what was read.
   *
   * @param folder where paths begin
   */
  async mistakesIn(policies: GatewayPolicies, folder: string): Promise<readonly string[]> {
    const { grpc = {}, routes = [] } = policies
    const reading = new Reading()
    for (const [name, { proto }] of Object.entries(grpc)) await reading.readFile(name, folder, proto)
    for (const [index, policy] of routes.entries()) reading.readRoute(`/routes/${index}`, policy)
    for (const [name, { annotated }] of Object.entries(grpc))
      if (annotated !== undefined) reading.readAnnotations(name, annotated)
    const { mistakes, ready, more } = reading
    if (mistakes.length === 0)
      this.#read.set(policies, { policies: { ...policies, routes: [...routes, ...more] }, routes: ready })
    return mistakes
  }

  /** What was read for policies that have no mistakes. */
  of(policies: GatewayPolicies): WithGrpc {
    return this.#read.get(policies) ?? { policies, routes: new Map() }
  }
}

/** One reading of all of it. */
class Reading {
  readonly #files = new Map<string, ProtoFile>()
  readonly mistakes: string[] = []
  readonly ready = new Map<RoutePolicy, GrpcRoute>()
  /** Those that annotations name. */
  readonly more: RoutePolicy[] = []

  async readFile(name: string, folder: string, path: string): Promise<void> {
    try {
      this.#files.set(name, await readProto(resolve(folder, path)))
    } catch (error) {
      // Where the folder is, is no part of the mistake.
      this.mistakes.push(`/grpc/${name}/proto: ${(error as Error).message.replaceAll(folder + sep, '')}`)
    }
  }

  readRoute(pointer: string, policy: RoutePolicy): void {
    const { grpc, match } = policy
    const file = grpc && this.#files.get(grpc.name)
    if (grpc === undefined || file === undefined) return
    const method = methodNamed(file, grpc.method)
    if (typeof method === 'string') return void this.mistakes.push(`${pointer}/grpc/method: ${method}`)
    if (match.path.endsWith('**')) this.mistakes.push(`${pointer}/match/path: the rest of a path is no field`)
    if (method.givesStream && match.methods?.includes('HEAD'))
      this.mistakes.push(`${pointer}/match/methods: a stream has no HEAD`)
    const bindings = readTemplate(match.path)?.bindings ?? []
    const rule = { path: bindings, body: grpc.body, response: grpc.response }
    const wrong = mistakesInRule(method, rule)
    this.mistakes.push(...wrong.map(([part, message]) => `${pointer}${POINTERS[part]}: ${message}`))
    if (wrong.length === 0) this.ready.set(policy, { method, binding: new Binding(method, rule) })
  }

  readAnnotations(name: string, annotated: Annotated): void {
    const file = this.#files.get(name)
    if (file === undefined) return
    const rules = [...file.methods.values()].flatMap((method) =>
      method.annotations.flatMap(rulesOf).map((rule) => [method, rule] as const),
    )
    const pointer = `/grpc/${name}/annotated`
    if (rules.length === 0) this.mistakes.push(`${pointer}: no method has google.api.http`)
    for (const [method, rule] of rules) {
      const wrong = this.#readAnnotation(name, annotated, method, rule)
      if (wrong !== undefined) this.mistakes.push(`${pointer}: ${method.name}: ${wrong}`)
    }
  }

  #readAnnotation(
    name: string,
    { access, roles }: Annotated,
    method: GrpcMethod,
    { method: verb, path, body, response }: HttpRule,
  ): string | undefined {
    if (verb === undefined) return 'is asked by a method that is none of get, put, post, delete, patch'
    if (method.takesStream) return 'takes a stream of messages'
    const template = readTemplate(path)
    if (template === undefined) return `${path} is no template that is taken here`
    const rule: BindingRule = { path: template.bindings, body, response }
    const [wrong] = mistakesInRule(method, rule)
    if (wrong !== undefined) return wrong[1]
    const methods: RouteMethods = verb === 'GET' && !method.givesStream ? ['GET', 'HEAD'] : [verb]
    const policy: RoutePolicy = {
      match: { path: template.path, methods },
      grpc: { name, method: method.name },
      access,
      ...(roles === undefined ? {} : { roles }),
    }
    this.more.push(policy)
    this.ready.set(policy, { method, binding: new Binding(method, rule) })
    return undefined
  }
}

const POINTERS = { path: '/match/path', body: '/grpc/body', response: '/grpc/response' } as const

/** The method, or what is wrong with its name. */
function methodNamed(file: ProtoFile, name: string): GrpcMethod | string {
  const method = file.methods.get(name)
  if (method?.takesStream) return 'takes a stream of messages'
  const service = name.split('/', 1)[0] as string
  if (!file.services.has(service)) return `there is no service ${service} in the .proto file`
  return method ?? `there is no such method of ${service}`
}
