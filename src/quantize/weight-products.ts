/**
 * The two matrix products of learning a layer, on the SIMD kernels of the fast executor: rows · weights, and rowsᵀ · errors,
 * over a batch of rows that stays in place. Weights stand in panels of 8 outputs, [group][panel][tap][8], results and
 * errors likewise, [group][panel][row of the batch][8]; lanes beyond a group's outputs are zero.
 */
import { instantiateKernels, type Kernels } from '../reference/fast/kernels.ts'
import { PANEL, panelled } from '../reference/fast/pack-weights.ts'

export interface ProductShape {
  /** Rows in all, and rows of a batch. */
  readonly rows: number
  readonly batch: number
  readonly groups: number
  readonly taps: number
  /** Outputs of all groups. */
  readonly outputs: number
}

/** Address 0 means "none" to the kernels. */
const FIRST_ADDRESS = 64

/** Products over a fixed matrix of inputs, [row][group][tap]. Arrays are views that stay valid. */
export class WeightProducts {
  /** To be filled before `forward`. */
  readonly weights: Float32Array
  /** Result of `forward`; overwritten with errors before `backward`. */
  readonly values: Float32Array
  /** Result of `backward`, in the places of `weights`. */
  readonly gradients: Float32Array
  private readonly shape: ProductShape
  private readonly kernels: Kernels
  private readonly inputs: Float32Array
  private readonly offsets: Int32Array
  private readonly turned: Float32Array
  private readonly turnedOffsets: Int32Array
  private readonly zeros: Float32Array

  constructor(shape: ProductShape, inputs: Float32Array) {
    const { batch, groups, taps, outputs } = shape
    const lanes = groups * panelled(outputs / groups)
    const sizes = [inputs.length, batch, batch * taps, taps, PANEL + 1, lanes * taps, lanes * batch, lanes * taps]
    const words = sizes.reduce((sum, size) => sum + aligned(size), 0)
    const pages = Math.ceil((words * 4 + FIRST_ADDRESS) / 65536)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    let address = FIRST_ADDRESS
    const place = (size: number): [ArrayBuffer, number, number] => {
      const at = address
      address += aligned(size) * 4
      return [memory.buffer as ArrayBuffer, at, size]
    }
    this.shape = shape
    this.kernels = instantiateKernels(memory)
    this.inputs = new Float32Array(...place(inputs.length))
    this.inputs.set(inputs)
    this.offsets = new Int32Array(...place(batch))
    this.turned = new Float32Array(...place(batch * taps))
    this.turnedOffsets = new Int32Array(...place(taps))
    for (let t = 0; t < taps; t++) this.turnedOffsets[t] = t * batch * 4
    this.zeros = new Float32Array(...place(PANEL + 1))
    this.weights = new Float32Array(...place(lanes * taps))
    this.values = new Float32Array(...place(lanes * batch))
    this.gradients = new Float32Array(...place(lanes * taps))
  }

  /** `values` = chosen rows · `weights`. */
  forward(rows: Int32Array): void {
    const { batch, groups, taps } = this.shape
    for (let m = 0; m < batch; m++) this.offsets[m] = rows[m] * groups * taps * 4
    this.eachPanel((group, panel) =>
      this.product(
        ...[this.inputs.byteOffset + group * taps * 4, this.offsets.byteOffset, batch, taps],
        ...[this.weights.byteOffset + panel * taps * 32, this.values.byteOffset + panel * batch * 32],
      ),
    )
  }

  /** `gradients` = chosen rowsᵀ · `values`, which hold the errors of the same rows. */
  backward(rows: Int32Array): void {
    const { batch, taps } = this.shape
    let last = -1
    this.eachPanel((group, panel) => {
      if (group !== last) this.turn(rows, group)
      last = group
      this.product(
        ...[this.turned.byteOffset, this.turnedOffsets.byteOffset, taps, batch],
        ...[this.values.byteOffset + panel * batch * 32, this.gradients.byteOffset + panel * taps * 32],
      )
    })
  }

  /** Where an output's number at `index` stands, among `size` numbers: taps in weights and gradients, rows in values. */
  place(output: number, index: number, size: number): number {
    const { groups, outputs } = this.shape
    const perGroup = outputs / groups
    const group = Math.floor(output / perGroup)
    const lane = output % perGroup
    const panel = (group * panelled(perGroup)) / PANEL + Math.floor(lane / PANEL)
    return (panel * size + index) * PANEL + (lane % PANEL)
  }

  private eachPanel(visit: (group: number, panel: number) => void): void {
    const { groups, outputs } = this.shape
    const panels = panelled(outputs / groups) / PANEL
    for (let group = 0; group < groups; group++)
      for (let panel = 0; panel < panels; panel++) visit(group, group * panels + panel)
  }

  private turn(rows: Int32Array, group: number): void {
    const { batch, groups, taps } = this.shape
    for (let m = 0; m < batch; m++) {
      const start = (rows[m] * groups + group) * taps
      for (let t = 0; t < taps; t++) this.turned[t * batch + m] = this.inputs[start + t]
    }
  }

  /** One panel: `count` rows of `length` numbers at the offsets of a table. */
  private product(
    input: number,
    offsets: number,
    count: number,
    length: number,
    weights: number,
    output: number,
  ): void {
    const zeros = this.zeros.byteOffset
    // The ninth zero is the table of the single segment.
    const segments = zeros + PANEL * 4
    this.kernels.convolve(
      ...[input, offsets, count, segments, 1, length * 4, weights, zeros, output, PANEL * 4, PANEL],
      ...[0, 0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    )
  }
}

/** Arrays begin at whole vectors. */
function aligned(size: number): number {
  return (size + 3) & ~3
}
