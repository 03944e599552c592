/** Our own reader on an exported QDQ file: whether its plan gives the integers of the plan it was written from. */
import { compile, parseOnnx, prepare } from '../../../dist/index.js'

/**
 * @param {import('../../../dist/index.js').Graph} graph
 * @param {import('../../../dist/index.js').Plan} plan
 * @param {Uint8Array} bytes
 * @returns {{ summary: string, missing: string[], sameInstructions: number, instructions: number, largestScaleError: number }}
 *   `sameInstructions` have equal integers, names aside; `largestScaleError` is relative.
 */
export function roundTrip(graph, plan, bytes) {
  const again = parseOnnx(bytes)
  let prepared
  try {
    prepared = prepare(again)
  } catch (error) {
    return { summary: error.message, missing: [], sameInstructions: 0, instructions: 0, largestScaleError: 0 }
  }
  const { filePlan, missing } = prepared
  const ours = compile(graph, plan).integerGraph.instructions
  if (missing.length > 0)
    return {
      summary: `no numbers for ${missing.slice(0, 4).join(', ')}`,
      ...{ missing: [...missing], sameInstructions: 0, instructions: ours.length, largestScaleError: 0 },
    }
  let largest = 0
  for (const [name, { scale }] of Object.entries(plan.tensors)) {
    const other = filePlan.tensors[name]?.scale ?? scale
    largest = Math.max(largest, Math.abs(other / scale - 1))
  }
  const theirs = compile(again, filePlan).integerGraph.instructions
  const same = ours.filter((one, index) => integersOf(one) === integersOf(theirs[index] ?? {})).length
  return {
    summary: `${same} of ${ours.length} instructions equal, scales within ${largest}`,
    ...{ missing: [], sameInstructions: same, instructions: ours.length, largestScaleError: largest },
  }
}

/** Everything an instruction computes with. */
function integersOf({
  kind,
  weights,
  bias,
  window,
  groups,
  weightZeroPoints,
  inputZeroPoints,
  outputZeroPoint,
  clamp,
  table,
}) {
  const parts = {
    kind,
    weights,
    bias,
    window,
    groups,
    weightZeroPoints,
    inputZeroPoints,
    outputZeroPoint,
    clamp,
    table,
  }
  return JSON.stringify(parts, (_, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value))
}
