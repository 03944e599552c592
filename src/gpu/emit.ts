/** From an integer graph to a GPU program that can test itself: its dispatches, and a probe per family of products it uses. */
import type { IntegerGraph } from '../lower/integer-graph.ts'
import type { GpuProbe, GpuProgram } from '../runtime/gpu/program.ts'
import { emitGraph } from './emit-graph.ts'
import { probeOf } from './probe.ts'

const ELEMENT = 16

/** Throws `limit` or `unsupported` where an instruction exceeds what its kernel takes. */
export function emitGpuProgram(graph: IntegerGraph): GpuProgram {
  const { header, constants } = emitGraph(graph)
  // Families with more than one level are those that need a test.
  const families = new Set(header.shaders.filter(({ level }) => level !== 'plain').flatMap((shader) => shader.families))
  const parts: Uint8Array[] = [constants]
  let end = constants.length
  const probes = [...families].sort().map((family): GpuProbe => {
    const { program, expected } = probeOf(family)
    const [port] = program.header.outputs
    const answer = program.constants.length
    const bytes = answer + Math.ceil(expected.length / ELEMENT) * ELEMENT
    const part = new Uint8Array(bytes)
    part.set(program.constants)
    part.set(expected, answer)
    parts.push(part)
    const at = end
    end += bytes
    return {
      family,
      dispatches: program.header.dispatches,
      initial: program.header.initial,
      arenaBytes: program.header.arenaBytes,
      constants: { at, bytes },
      output: { offset: port.offset, constants: answer, bytes: expected.length },
    }
  })
  const all = new Uint8Array(end)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return { header: { ...header, constantBytes: end, probes }, constants: all }
}
