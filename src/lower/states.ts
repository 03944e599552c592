/**
 * States: inputs that take an output's integers at the next step of a sequence. Integers can only be handed back as they are
 * where both ports read them alike; whatever else would be a second rounding in each step.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Plan } from '../quantize/plan.ts'
import type { Port } from './integer-graph.ts'

/**
 * The input ports, those of states with the name of their output. Throws `refused` where an input is in two pairs, or the
 * ports of a pair differ in shape, order, format, scale or zero point.
 */
export function withStates({ states = [] }: Plan, inputs: readonly Port[], outputs: readonly Port[]): Port[] {
  const outputOf = new Map<string, string>()
  for (const { input, output } of states) {
    if (outputOf.has(input))
      throw new DyadicError('refused', `"states" of the plan has two entries for input ${quoted(input)}; give one`)
    outputOf.set(input, output)
  }
  return inputs.map((port) => {
    const name = outputOf.get(port.name)
    const output = outputs.find((other) => other.name === name)
    if (output === undefined) return port
    for (const [part, own, other] of [
      ['shape', port.shape, output.shape],
      ['layout', port.layout, output.layout],
      ['format', port.format, output.format],
      ['scale', port.scale, output.scale],
      ['zero point', port.zeroPoint, output.zeroPoint],
    ] as const)
      if (String(own) !== String(other))
        throw new DyadicError(
          'refused',
          `state ${quoted(port.name)} ← ${quoted(output.name)}: the input has ${part} ${own}, the output ${other}; give both the same in the plan`,
        )
    return { ...port, state: output.name }
  })
}
