/**
 * The values of an exported network while it is written: each may be there as codes, as reals, or both, and is quantised or
 * dequantised where the other form is first asked for. Two ways to write a grid: ONNX's pair of QuantizeLinear and
 * DequantizeLinear, and QONNX's Quant, which has reals on both sides.
 */
import { DyadicError, quoted } from '../error.ts'
import { formatRange } from '../quantize/plan.ts'
import type { ModelWriter } from './model-writer.ts'
import { activationType, storeNumbers, weightType } from './onnx-tensor.ts'
import type { ExportedLayer, Grid, QuantisedNetwork } from './quantised-network.ts'

export type Notation = 'linear' | 'quant'

/** Names of the constants of a grid. */
export interface GridConstants {
  readonly scale: string
  readonly zeroPoint: string
}

export class ExportedValues {
  readonly network: QuantisedNetwork
  readonly writer: ModelWriter
  readonly #notation: Notation
  readonly #reals = new Map<string, string>()
  readonly #codes = new Map<string, string>()
  readonly #grids = new Map<string, GridConstants>()
  readonly #outputs: ReadonlySet<string>

  constructor(network: QuantisedNetwork, writer: ModelWriter, notation: Notation) {
    this.network = network
    this.writer = writer
    this.#notation = notation
    this.#outputs = new Set(network.graph.outputs)
    for (const name of network.graph.inputs) this.#import(name)
  }

  /** The name under which a float node reads a value; constants keep theirs. */
  real(name: string): string {
    const known = this.#reals.get(name)
    if (known !== undefined) return known
    const codes = this.#codes.get(name)
    if (codes === undefined)
      throw new DyadicError('unsupported', `value ${quoted(name)} is read before anything computes it`)
    const real = this.#isFinal(name) ? name : this.writer.free(`${name}.dequantized`)
    const { scale, zeroPoint } = this.gridConstants(name)
    this.writer.node('DequantizeLinear', [codes, scale, zeroPoint], real, this.#axis(name))
    this.#reals.set(name, real)
    return real
  }

  /** The codes of a value, or undefined where it has none or its notation has none. */
  codes(name: string): string | undefined {
    return this.#codes.get(name)
  }

  /** The name that a node must give the reals it computes for a value that is rounded next, or kept as it is. */
  rawName(name: string): string {
    return this.#isFinal(name) && (this.network.grid(name) || this.network.channelScales(name))
      ? this.writer.free(`${name}.real`)
      : name
  }

  /** Takes the reals that a node has computed under `raw` and rounds them to the value's grid. */
  storeReal(name: string, raw: string): void {
    const grid = this.network.grid(name)
    if (grid === undefined) this.#reals.set(name, raw)
    else this.#round(name, raw, grid)
  }

  /** Takes codes that a node has computed in the value's grid. */
  storeCodes(name: string, codes: string): void {
    this.#codes.set(name, codes)
  }

  /** Makes every graph output there under its own name. */
  finish(): void {
    for (const name of this.network.graph.outputs) {
      const real = this.real(name)
      const scales = this.network.channelScales(name)
      if (scales !== undefined) {
        const rank = this.network.graph.values.get(name)?.shape.length ?? 2
        const shape = [1, scales.length, ...new Array<number>(Math.max(0, rank - 2)).fill(1)]
        const factor = this.writer.constant(`${name}.channel_scale`, storeNumbers('float32', shape, scales))
        this.writer.node('Mul', [real, factor], name)
      } else if (real !== name && !this.network.graph.inputs.includes(name)) this.writer.node('Identity', [real], name)
    }
  }

  /** Scale and zero point of a value as initialisers. */
  gridConstants(name: string): GridConstants {
    const known = this.#grids.get(name)
    if (known !== undefined) return known
    const grid = this.network.grid(name) as Grid
    const { format, scale, zeroPoint } = grid
    demandScale([scale], name)
    const vector = zeroPoint.length > 1
    const list = vector ? zeroPoint.map(() => scale) : [scale]
    // Quant broadcasts its constants, QuantizeLinear has an axis.
    const trailing = this.#notation === 'quant' ? this.#sizesAfter(name) : []
    const shape = vector ? [zeroPoint.length, ...trailing] : []
    const made = {
      scale: this.writer.constant(`${name}.scale`, storeNumbers('float32', shape, list)),
      zeroPoint: this.writer.constant(
        `${name}.zero_point`,
        storeNumbers(this.#notation === 'quant' ? 'float32' : activationType(format), shape, zeroPoint),
      ),
    }
    this.#grids.set(name, made)
    return made
  }

  /** A layer's weights and bias as values that a float node reads. */
  weights(layer: ExportedLayer): string[] {
    const { name, shape, bias, biasScale } = layer
    const weights = this.#notation === 'quant' ? this.#quantWeights(layer) : this.#linearWeights(layer)
    if (bias === undefined) return [weights]
    demandScale(biasScale, name)
    const [outputs] = shape
    const scales =
      biasScale.length > 1 ? storeNumbers('float32', [outputs], biasScale) : storeNumbers('float32', [], biasScale)
    const scale = this.writer.constant(`${name}.bias.scale`, scales)
    const real = this.writer.free(`${name}.bias`)
    if (this.#notation === 'linear') {
      const codes = this.writer.constant(`${name}.bias.codes`, storeNumbers('int32', [outputs], bias))
      this.writer.node('DequantizeLinear', [codes, scale], real, biasScale.length > 1 ? { axis: 0 } : {})
      return [weights, real]
    }
    const reals = Float64Array.from(bias, (code, o) => code * biasScale[biasScale.length > 1 ? o : 0])
    const source = this.writer.constant(`${name}.bias.real`, storeNumbers('float32', [outputs], reals))
    this.#quant(source, scale, this.writer.scalar(`${name}.bias.zero_point`, 'float32', 0), real, 32, true)
    return [weights, real]
  }

  #linearWeights(layer: ExportedLayer): string {
    const { name, shape, format, codes, scale, zeroPoint, blocks } = layer
    const type = weightType(format)
    const [outputs] = shape
    demandScale(blocks?.scales ?? scale, name)
    const stored = this.writer.constant(`${name}.weights.codes`, storeNumbers(type, shape, codes))
    const real = this.writer.free(`${name}.weights`)
    if (blocks) {
      const scales = this.writer.constant(`${name}.weights.scale`, storeNumbers('float32', blocks.shape, blocks.scales))
      this.writer.node('DequantizeLinear', [stored, scales], real, { axis: 1, block_size: blocks.size })
      return real
    }
    const vector = scale.length > 1 || zeroPoint.length > 1
    const sizes = vector ? [outputs] : []
    const list = (values: readonly number[]): readonly number[] =>
      vector ? Array.from({ length: outputs }, (_, o) => values[values.length > 1 ? o : 0]) : values
    const scales = this.writer.constant(`${name}.weights.scale`, storeNumbers('float32', sizes, list(scale)))
    const zeros = this.writer.constant(`${name}.weights.zero_point`, storeNumbers(type, sizes, list(zeroPoint)))
    this.writer.node('DequantizeLinear', [stored, scales, zeros], real, vector ? { axis: 0 } : {})
    return real
  }

  #quantWeights({ name, shape, format, codes, scale, zeroPoint, blocks }: ExportedLayer): string {
    if (blocks)
      throw new DyadicError(
        'unsupported',
        `layer ${quoted(name)} has scales for groups of weights, for which QONNX's Quant has no form; export it as qdq`,
      )
    demandScale(scale, name)
    const [outputs] = shape
    const taps = codes.length / outputs
    const at = (values: readonly number[], o: number): number => values[values.length > 1 ? o : 0]
    const reals = Float64Array.from(codes, (code, i) => {
      const o = Math.floor(i / taps)
      return (code - at(zeroPoint, o)) * at(scale, o)
    })
    const store = (part: string, values: readonly number[]): string => {
      const sizes = values.length > 1 ? [outputs, ...shape.slice(1).map(() => 1)] : []
      return this.writer.constant(`${name}.weights.${part}`, storeNumbers('float32', sizes, values))
    }
    const source = this.writer.constant(`${name}.weights.real`, storeNumbers('float32', shape, reals))
    const real = this.writer.free(`${name}.weights`)
    const signed = format !== 'u8'
    this.#quant(source, store('scale', scale), store('zero_point', zeroPoint), real, Number(format.slice(1)), signed)
    return real
  }

  #quant(input: string, scale: string, zeroPoint: string, output: string, bits: number, signed: boolean): void {
    const width = this.writer.scalar(`${output}.bits`, 'float32', bits)
    this.writer.node(
      'Quant',
      [input, scale, zeroPoint, width],
      output,
      { signed: signed ? 1 : 0, narrow: 0, rounding_mode: 'ROUND' },
      { domain: 'qonnx.custom_op.general' },
    )
  }

  #round(name: string, raw: string, grid: Grid): void {
    const { scale, zeroPoint } = this.gridConstants(name)
    if (this.#notation === 'quant') {
      const real = this.#isFinal(name) ? name : this.writer.free(`${name}.quantized`)
      const { low } = formatRange(grid.format)
      this.#quant(raw, scale, zeroPoint, real, Number(grid.format.slice(1)), low < 0)
      this.#reals.set(name, real)
      return
    }
    const codes = this.writer.free(`${name}.codes`)
    const inputs = [this.#limited(name, raw, grid), scale, zeroPoint]
    this.writer.node('QuantizeLinear', inputs, codes, this.#axis(name))
    this.#codes.set(name, codes)
  }

  /** Reals within the codes of a format that has fewer than the type that holds them. */
  #limited(name: string, raw: string, { format, scale, zeroPoint }: Grid): string {
    if (format !== 'u4' && format !== 's4') return raw
    const { low, high } = formatRange(format)
    const bounds = [low, high].map((code) => (code - zeroPoint[0]) * scale)
    const limited = this.writer.free(`${name}.limited`)
    const [least, most] = bounds.map((bound) => this.writer.scalar(`${name}.limit`, 'float32', bound))
    this.writer.node('Clip', [raw, least, most], limited)
    return limited
  }

  #import(name: string): void {
    const { grid, factor, offset } = this.network.inputs.get(name) ?? {}
    const { writer } = this
    const constant = (part: string, values: readonly number[]): string => {
      const shape = values.length > 1 ? [values.length, ...this.#sizesAfter(name)] : []
      return writer.constant(`${name}.${part}`, storeNumbers('float32', shape, values))
    }
    let raw = name
    const step = (operator: string, part: string, values: readonly number[] | undefined): void => {
      if (values === undefined) return
      const output = writer.free(`${name}.${part}ed`)
      writer.node(operator, [raw, constant(part, values)], output)
      raw = output
    }
    step('Mul', 'scal', factor)
    step('Add', 'shift', offset)
    if (grid) this.#round(name, raw, grid)
  }

  /** Sizes of 1 behind the channels of a network input. */
  #sizesAfter(name: string): number[] {
    const rank = this.network.graph.values.get(name)?.shape.length ?? 1
    return new Array<number>(rank - 1 - (this.network.inputs.get(name)?.axis ?? 0)).fill(1)
  }

  /** The attribute of a grid with a zero point for each channel. */
  #axis(name: string): Record<string, number> {
    const grid = this.network.grid(name)
    return grid !== undefined && grid.zeroPoint.length > 1 ? { axis: this.network.inputs.get(name)?.axis ?? 1 } : {}
  }

  /** Whether the reals of a value are what the graph gives out under its name. */
  #isFinal(name: string): boolean {
    return (
      this.#outputs.has(name) &&
      !this.network.graph.inputs.includes(name) &&
      this.network.channelScales(name) === undefined
    )
  }
}

/** Files hold scales as float32; one that is none there is refused. */
function demandScale(scales: ArrayLike<number>, name: string): void {
  for (let i = 0; i < scales.length; i++)
    if (!(Math.fround(scales[i]) > 0) || Math.fround(scales[i]) === Infinity)
      throw new DyadicError(
        'unsupported',
        `a scale of ${quoted(name)} is ${scales[i]}, which float32 does not hold; ONNX files have float32 scales: change it in the plan`,
      )
}
