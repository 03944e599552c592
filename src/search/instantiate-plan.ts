/**
 * A plan as a running program, without what only a file needs: no certificate, no self-test, no seal. The integers are those
 * of the compiled module, because lowering, kernels and linker are the same.
 */
import type { Graph } from '../graph/graph.ts'
import kernelBytes from '../kernels/embedded/integer.ts'
import { embeddedBytes } from '../kernels/module.ts'
import { lower } from '../lower/lower.ts'
import { emitProgram } from '../program/emit.ts'
import { link } from '../program/link.ts'
import { portsOf } from '../program/manifest.ts'
import type { ModuleDescription } from '../program/module.ts'
import type { Plan } from '../quantize/plan.ts'
import { makeNetwork, type Network } from '../runtime/network.ts'

/** The program of a fused graph by a plan. Throws as `lower` and `emitProgram`. */
export async function instantiatePlan(graph: Graph, plan: Plan): Promise<Network> {
  const integerGraph = lower(graph, plan)
  const emitted = emitProgram(integerGraph)
  const { memory, run } = await instantiateCalls(emitted)
  return makeNetwork(
    {
      schema: 1,
      name: graph.name,
      inputs: portsOf(integerGraph.inputs, emitted.inputOffsets),
      outputs: portsOf(integerGraph.outputs, emitted.outputOffsets),
    },
    memory.buffer,
    run,
  )
}

/** Kernel calls over their memory, ready to run. */
export async function instantiateCalls(
  description: Omit<ModuleDescription, 'customSections'>,
): Promise<{ memory: WebAssembly.Memory; run: () => void }> {
  const wasm = link(embeddedBytes(kernelBytes), { ...description, customSections: [] })
  const { instance } = await WebAssembly.instantiate(wasm as Uint8Array<ArrayBuffer>)
  return instance.exports as unknown as { memory: WebAssembly.Memory; run: () => void }
}
