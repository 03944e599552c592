/**
 * Methods by name: what improves a plan after the ranges are chosen. Several run one after the other, in the order given.
 */
import { correctBiases } from './bias-correction.ts'
import type { Method, MethodContext } from './method.ts'
import type { Plan } from './plan.ts'

/** Names of all methods. */
export const methodNames = ['bias-correction'] as const
export type MethodName = (typeof methodNames)[number]

const methods: Readonly<Record<MethodName, Method>> = { 'bias-correction': correctBiases }

/** The plan after all methods, whose `origin` names them. */
export async function applyMethods(names: readonly MethodName[], context: MethodContext): Promise<Plan> {
  let { plan } = context
  for (const name of names) plan = await methods[name]({ ...context, plan })
  return names.length === 0 ? plan : { ...plan, origin: { ...plan.origin, methods: [...names] } }
}
