/**
 * Methods by name: what improves a plan after the ranges are chosen. Several run one after the other, in the order given;
 * those that choose scales come before those that choose codes, which depend on them.
 */
import { DyadicError } from '../error.ts'
import { fitAccumulators } from './accumulator-room.ts'
import { adaround } from './adaround.ts'
import { correctBiases } from './bias-correction.ts'
import { chooseMethods } from './choose-methods.ts'
import { equalize } from './equalize.ts'
import { gptq } from './gptq.ts'
import type { Method, MethodContext } from './method.ts'
import { migrate } from './migrate.ts'
import type { Plan } from './plan.ts'
import { chooseWeightScales } from './weights-mse.ts'

/** Names of all methods; `auto` tries chains of the others. */
export const methodNames = [
  'equalize',
  'migrate',
  'weights-mse',
  'gptq',
  'adaround',
  'bias-correction',
  'auto',
] as const
export type MethodName = (typeof methodNames)[number]

const methods: Readonly<Record<Exclude<MethodName, 'auto'>, Method>> = {
  equalize,
  migrate: (context) => migrate(context),
  'weights-mse': chooseWeightScales,
  gptq,
  adaround,
  'bias-correction': correctBiases,
}

const SCALE_METHODS: readonly MethodName[] = ['equalize', 'migrate', 'weights-mse']
const CODE_METHODS: readonly MethodName[] = ['gptq', 'adaround']

/**
 * The plan after all methods, whose `origin` names them. Throws `usage` where a method would undo one before it, or `auto`
 * has company.
 */
export async function applyMethods(names: readonly MethodName[], context: MethodContext): Promise<Plan> {
  checkOrder(names)
  if (names[0] === 'auto')
    return chooseMethods(context, (chain, given) => runChain(chain as readonly MethodName[], given))
  const plan = await runChain(names, context)
  return names.length === 0 ? plan : { ...plan, origin: { ...plan.origin, methods: [...names] } }
}

async function runChain(names: readonly MethodName[], context: MethodContext): Promise<Plan> {
  let { plan } = context
  for (const name of names)
    if (name !== 'auto') plan = fitAccumulators(context.graph, await methods[name]({ ...context, plan }))
  return plan
}

function checkOrder(names: readonly MethodName[]): void {
  if (names.length > 1 && names.includes('auto'))
    throw new DyadicError('usage', 'the method auto chooses the others by itself; give it alone')
  const coded = names.findIndex((name) => CODE_METHODS.includes(name))
  const late = coded < 0 ? undefined : names.slice(coded).find((name) => SCALE_METHODS.includes(name))
  if (late !== undefined)
    throw new DyadicError(
      'usage',
      `the method ${late} chooses scales, for which the codes of ${names[coded]} would no longer hold; give it before`,
    )
}
