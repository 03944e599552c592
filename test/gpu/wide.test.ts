/** Functions of the WGSL kernels alone, against exact integers: quotients and roots of 64 bits, and every exponential. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  PARABOLA_EXPONENTIAL,
  SHIFT_EXPONENTIAL,
  SHIFT_EXPONENTIAL_ABOVE,
} from '../../src/kernels/gpu/family-exponential.ts'
import { WIDE } from '../../src/kernels/gpu/wide.ts'
import {
  exponentialBelow,
  type FamilyExponential,
  shiftExponentialAbove,
} from '../../src/kernels/scalar/family-exponential.ts'
import { floorSquareRoot } from '../../src/kernels/scalar/square-root.ts'
import { geluExponential, softmaxExponential } from '../../src/program/family-integers.ts'
import { createRandom } from '../../src/program/program.fixture.ts'
import { openDevice } from '../../src/runtime/gpu/index.ts'
import { dawn } from './dawn.ts'

let device: GPUDevice
beforeAll(async () => {
  device = (await openDevice({ gpu: dawn() })).device
})
afterAll(() => device.destroy())

const STORAGE = 0x80
const COPY_SOURCE = 0x04
const COPY_TARGET = 0x08
const MAP_READ = 0x01

/** What `body` makes of each pair of words: it sees `a` and gives `made`. */
async function compute(functions: string, body: string, pairs: Uint32Array): Promise<Uint32Array> {
  const code = `
@group(0) @binding(0) var<storage, read_write> words: array<vec2<u32>>;
${functions}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= arrayLength(&words)) { return; }
  let a = words[id.x];
  var made = vec2<u32>();
${body}
  words[id.x] = made;
}
`
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
  })
  const buffer = device.createBuffer({ size: pairs.byteLength, usage: STORAGE | COPY_SOURCE | COPY_TARGET })
  const readback = device.createBuffer({ size: pairs.byteLength, usage: MAP_READ | COPY_TARGET })
  device.queue.writeBuffer(buffer, 0, pairs as Uint32Array<ArrayBuffer>)
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer } }],
    }),
  )
  pass.dispatchWorkgroups(Math.ceil(pairs.length / 128))
  pass.end()
  encoder.copyBufferToBuffer(buffer, 0, readback, 0, pairs.byteLength)
  device.queue.submit([encoder.finish()])
  await readback.mapAsync(MAP_READ)
  const made = new Uint32Array(readback.getMappedRange()).slice()
  buffer.destroy()
  readback.destroy()
  return made
}

/** Words of every length, powers of two and their neighbours among them. */
function someWord(random: ReturnType<typeof createRandom>): number {
  const bits = random.between(0, 32)
  const power = 2 ** bits
  const word = random.chance(0.3)
    ? power + random.between(-2, 2)
    : Math.floor((random.between(0, 2 ** 31) / 2 ** 31) * power)
  return Math.min(2 ** 32 - 1, Math.max(0, word))
}

const COUNT = 60_000

describe('64 bits in words', () => {
  it('quotients', async () => {
    // Quotient and remainder at random make the dividend, so that remainders at both ends are as frequent as others.
    const random = createRandom(1)
    const divisors = new Uint32Array(COUNT)
    const dividends = new BigUint64Array(COUNT)
    for (let i = 0; i < COUNT; i++) {
      const divisor = Math.max(1, someWord(random))
      const rest = random.pick([0, divisor - 1, someWord(random) % divisor])
      divisors[i] = divisor
      dividends[i] = BigInt(someWord(random)) * BigInt(divisor) + BigInt(rest)
    }
    const pairs = new Uint32Array(dividends.buffer)
    // The divisors follow as pairs of their own: a thread of the first half reads its divisor from the second.
    const all = new Uint32Array(4 * COUNT)
    all.set(pairs)
    for (const [i, divisor] of divisors.entries()) all[2 * COUNT + 2 * i] = divisor
    const body = `
  if (id.x >= ${COUNT}u) { return; }
  made = vec2<u32>(divideWide(a, words[id.x + ${COUNT}u].x), 0u);`
    const found = await compute(WIDE, body, all)
    const wrong = divisors.findIndex((divisor, i) => BigInt(found[2 * i]) !== dividends[i] / BigInt(divisor))
    expect(wrong < 0 ? '' : `${dividends[wrong]} / ${divisors[wrong]} is not ${found[2 * wrong]}`).toBe('')
  })

  it('square roots', async () => {
    const random = createRandom(2)
    const squares = new BigUint64Array(COUNT)
    for (let i = 0; i < COUNT; i++) {
      const root = BigInt(someWord(random))
      // Squares, one less and the last number of the same root; and numbers of any root.
      squares[i] = random.pick([root * root, root * root - (root > 0n ? 1n : 0n), root * root + 2n * root])
      if (i % 4 === 0) squares[i] = (root << 32n) | BigInt(someWord(random))
    }
    const pairs = new Uint32Array(squares.buffer)
    const found = await compute(WIDE, 'made.x = rootWide(a);', pairs)
    const wrong = squares.findIndex((_, i) => found[2 * i] !== floorSquareRoot(pairs[2 * i + 1], pairs[2 * i]))
    expect(wrong < 0 ? '' : `the root of ${squares[wrong]} is not ${found[2 * wrong]}`).toBe('')
  })

  it('products, sums, differences and shifts', async () => {
    const random = createRandom(3)
    const pairs = Uint32Array.from({ length: 2 * COUNT }, () => someWord(random))
    const body = `
  let product = multiplyWide(a.x, a.y);
  let places = a.x & 63u;
  made = subtractWide(addWide(shiftLeftWide(a, places), product), shiftRightWide(a, a.y & 63u));`
    const found = new BigUint64Array((await compute(WIDE, body, pairs)).buffer)
    const wrong = found.findIndex((value, i) => {
      const [x, y] = [BigInt(pairs[2 * i]), BigInt(pairs[2 * i + 1])]
      const wide = (y << 32n) | x
      return value !== BigInt.asUintN(64, (wide << (x & 63n)) + x * y - (wide >> (y & 63n)))
    })
    expect(wrong).toBe(-1)
  })
})

describe('exponentials of every distance', () => {
  const distances = Uint32Array.from({ length: 2 * 65536 }, (_, i) => i >> 1)
  const WORDS = 'unit places exactHalf linear constantTerm multiplier multiplierShift'.split(' ')
  const ofSoftmax = (rule: 'shift' | 'shift-deployment' | 'poly', scale: number): FamilyExponential =>
    softmaxExponential({ name: 'e', rule, scale, bits: 8 })

  /** Functions with the words of an exponential. */
  function functionsOf(exponential: FamilyExponential): string {
    const values =
      exponential.kind === 'shift'
        ? [exponential.unit, exponential.places, exponential.exactHalf ? 1 : 0, 0, 0, 0, 0]
        : [exponential.unit, 0, 0, exponential.linear, exponential.constant, exponential.multiplier, exponential.shift]
    return `${WIDE}
struct Words { ${WORDS.map((name) => `${name}: i32`).join(', ')} }
const p = Words(${values.map((value) => `i32(${value >>> 0}u)`).join(', ')});
${SHIFT_EXPONENTIAL}${SHIFT_EXPONENTIAL_ABOVE}${PARABOLA_EXPONENTIAL}`
  }

  it.each<[string, FamilyExponential]>([
    ['shift', ofSoftmax('shift', 0.1)],
    ['the finest shift', ofSoftmax('shift', 1 / 65535)],
    ['shift as deployed', ofSoftmax('shift-deployment', 0.013)],
    ['the finest shift as deployed', ofSoftmax('shift-deployment', 1 / 32766)],
    ['the coarsest parabola', ofSoftmax('poly', 0.69)],
    ['a parabola', ofSoftmax('poly', 0.001)],
    ['the finest parabola', ofSoftmax('poly', 2.56e-5)],
    [
      'a parabola with ties',
      { kind: 'poly', unit: 1000, linear: 3906, constant: 4028400, multiplier: 2 ** 30, shift: 68 },
    ],
  ])('%s', async (_, exponential) => {
    const name = exponential.kind === 'shift' ? 'shiftBelow' : 'parabolaBelow'
    const found = await compute(functionsOf(exponential), `made.x = ${name}(i32(a.x));`, distances)
    const wrong = Array.from({ length: 65536 }, (_, i) => i).find(
      (distance) => found[2 * distance] !== exponentialBelow(distance, exponential),
    )
    expect(wrong).toBeUndefined()
    expect(new Set(found).size).toBeGreaterThan(5)
  })

  it.each([
    ['training', 0.0025],
    ['training', 0.2],
    ['deployment', 0.0025],
    ['deployment', 0.1],
  ] as const)('above 1, %s with the scale %d', async (variant, scale) => {
    const exponential = geluExponential({ name: 'e', variant, scale, bits: 8 })
    const found = await compute(functionsOf(exponential), 'made.x = shiftAbove(i32(a.x) + 1);', distances)
    const wrong = Array.from({ length: 65536 }, (_, i) => i).find(
      (value) => found[2 * value] !== shiftExponentialAbove(value + 1, exponential),
    )
    expect(wrong).toBeUndefined()
    expect(new Set(found).size).toBeGreaterThan(3)
  })
})
