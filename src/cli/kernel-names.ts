/**
 * Names of the functions of a finished module. The linker keeps kernels without their names; a function that does the same,
 * instruction by instruction and in everything it calls, as a kernel of this version bears that kernel's name.
 */
import kernelBytes from '../kernels/embedded/integer.ts'
import { embeddedBytes } from '../kernels/module.ts'
import { type DecodedModule, decodeModule } from '../program/wasm/decode.ts'
import { relocatedSpace, walkExpression } from '../program/wasm/instructions.ts'
import { ByteReader } from '../program/wasm/leb128.ts'

/** The meaning of each function of a module without imported functions, as text that no index of the module occurs in. */
function fingerprints(module: DecodedModule, number: (text: string) => number): (index: number) => string {
  const { bytes, bodies, types, globals } = module
  const known = new Map<number, string>()
  const typeText = (index: number): string => `${types[index]?.parameters}:${types[index]?.results}`
  const globalText = (index: number): string => {
    const { type, mutable, initial } = globals[index]
    return `${type} ${mutable} ${initial.opcode.name} ${initial.operands.join()}`
  }
  const of = (index: number): string => {
    const found = known.get(index)
    if (found !== undefined) return found
    // A function that reaches itself is told from others by everything but that.
    known.set(index, 'itself')
    const { type, locals, expression, end } = bodies[index]
    const parts = [typeText(type), locals.map((local) => `${local.count}${local.type}`).join()]
    for (const instruction of walkExpression(new ByteReader(bytes, expression, end))) {
      const { opcode, operands } = instruction
      const [first] = operands as number[]
      const space = relocatedSpace(instruction)
      if (space === undefined) parts.push(`${opcode.name} ${operands.join()}`)
      else if (space === 'functions') parts.push(`call ${number(of(first))}`)
      else parts.push(`${opcode.name} ${space === 'globals' ? globalText(first) : typeText(first)}`)
    }
    const text = parts.join('\n')
    known.set(index, text)
    return text
  }
  return of
}

/** The name of a function of a finished module by its index; `function 7` where no kernel of this version does the same. */
export function kernelNames(module: DecodedModule): (index: number) => string {
  // Texts by numbers: a function that calls others would hold their texts again and again.
  const numbers = new Map<string, number>()
  const number = (text: string): number => {
    const found = numbers.get(text) ?? numbers.size
    numbers.set(text, found)
    return found
  }
  const kernels = decodeModule(embeddedBytes(kernelBytes))
  const ofKernel = fingerprints(kernels, number)
  const names = new Map(
    kernels.exports.flatMap(({ name, kind, index }) => (kind === 'function' ? [[ofKernel(index), name] as const] : [])),
  )
  const of = fingerprints(module, number)
  return (index) => names.get(of(index)) ?? `function ${index}`
}
