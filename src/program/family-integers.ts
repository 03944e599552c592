/**
 * The integers that rules R17 and R18 of docs/arithmetic.md work with, made from the scale in an instruction. They follow
 * from it by divisions of doubles, which every host rounds alike.
 */
import { DyadicError, quoted } from '../error.ts'
import { polynomialSoftmaxAt } from '../functions/polynomial-softmax.ts'
import type { ShiftExponential as PublishedExponential } from '../functions/shift-exponential.ts'
import { shiftGeluAt } from '../functions/shift-gelu.ts'
import { shiftmaxAt } from '../functions/shift-softmax.ts'
import type { FamilyExponential, ShiftExponential } from '../kernels/scalar/family-exponential.ts'
import type { FamilySoftmaxInstruction, ShiftGeluInstruction } from '../lower/integer-graph.ts'

type Named = Pick<FamilySoftmaxInstruction, 'name' | 'scale'>

/** The exponential of a softmax. Throws `refused` for a scale that the family does not take, or one so fine that e^0 does not fit 31 bits (poly: 32). */
export function softmaxExponential(
  instruction: Pick<FamilySoftmaxInstruction, 'name' | 'scale' | 'rule' | 'bits'>,
): FamilyExponential {
  const { rule, scale, bits } = instruction
  return named(instruction, () => {
    if (rule !== 'poly')
      return storedExponential(shiftmaxAt(scale, bits, rule === 'shift' ? 'training' : 'deployment').exponential)
    const { exponential, requantisation } = polynomialSoftmaxAt(scale, bits)
    const { minusLn2, linear, constant } = exponential
    if (constant >= 2 ** 32)
      throw new DyadicError('refused', `i-exp: e^0 is ${constant}, not below 2^32; use a coarser scale`)
    return { kind: 'poly', unit: -minusLn2, linear, constant, ...requantisation }
  })
}

/** The exponential of a ShiftGELU. Throws `refused` as {@link softmaxExponential} does. */
export function geluExponential(
  instruction: Pick<ShiftGeluInstruction, 'name' | 'scale' | 'variant' | 'bits'>,
): ShiftExponential {
  const { scale, bits, variant } = instruction
  return named(instruction, () => storedExponential(shiftGeluAt(scale, bits, variant).exponential))
}

function storedExponential({ minusOne, places, variant }: PublishedExponential): ShiftExponential {
  const unit = -minusOne
  if (unit * 2 ** places >= 2 ** 31)
    throw new DyadicError('refused', `ShiftExp: e^0 is ${unit} × 2^${places}, not below 2^31; use a coarser scale`)
  return { kind: 'shift', unit, places, exactHalf: variant === 'training' }
}

/** What `make` gives, or its refusal with the node's name. */
function named<Made>({ name, scale }: Named, make: () => Made): Made {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof DyadicError)) throw error
    throw new DyadicError(error.code, `node ${quoted(name)}, whose input has the scale ${scale}: ${error.message}`)
  }
}
