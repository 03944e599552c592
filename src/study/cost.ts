/** What a network under an arithmetic stores and computes with. */
import { type NetworkEnergy, networkEnergy } from './energy.ts'
import { type HeldTensor, STORED } from './held-tensor.ts'
import type { ResolvedNetwork } from './resolve.ts'

export interface StudyCost {
  /** Bits of all weights, with the scales of blocks. Scales of tensors and channels and biases are not counted. */
  readonly weightBits: number
  readonly weights: number
  /** Bits of everything that is stored between layers for one sample: the input and the output of every storing node. */
  readonly valueBits: number
  readonly values: number
  readonly macs: number
  readonly energy: NetworkEnergy
  /** How many weight tensors and values have each format, where a name stands for several. */
  readonly chosen: Readonly<Record<string, number>>
}

function sum(tensors: Iterable<HeldTensor>): { bits: number; elements: number } {
  let [bits, elements] = [0, 0]
  for (const tensor of tensors) {
    bits += tensor.bits
    elements += tensor.elements
  }
  return { bits, elements }
}

/** Counts in exact numbers. */
export function studyCost({ weights, values, layers }: ResolvedNetwork): StudyCost {
  const ofWeights = sum(weights.values())
  const ofValues = sum(values.values())
  const chosen = new Map<string, number>()
  for (const { format, chosen: name } of [...weights.values(), ...values.values()])
    if (format !== 'float32' && format !== STORED) chosen.set(name, (chosen.get(name) ?? 0) + 1)
  return {
    ...{ weightBits: ofWeights.bits, weights: ofWeights.elements },
    ...{ valueBits: ofValues.bits, values: ofValues.elements },
    macs: layers.reduce((total, { macs }) => total + macs, 0),
    energy: networkEnergy(layers),
    chosen: Object.fromEntries([...chosen].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}
