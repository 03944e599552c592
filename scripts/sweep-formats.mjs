// Encodes all 2^32 float32 patterns to formats and compares every code with the definition, whose breakpoints are found by
// bisection: encode is monotone between them. Run after a build: node scripts/sweep-formats.mjs [format[:rounding] ...]
// Without arguments: the formats of at most 8 bits that go through a table, float16 and bfloat16, nearest even.

import { decode, elementFormatNamed, encode, encodeArray } from '../dist/formats/index.js'

const DEFAULT = [
  'e4m3fn',
  'e5m2',
  'e4m3fnuz',
  'e5m2fnuz',
  'e3m2',
  'e2m3',
  'e2m1',
  'int8',
  'flint8',
  'bfloat16',
  'float16',
]
const BLOCK = 2 ** 20
const patterns = new Uint32Array(BLOCK)
const values = new Float32Array(patterns.buffer)
const single = new Float32Array(1)
const bits = new Uint32Array(single.buffer)

for (const argument of process.argv.length > 2 ? process.argv.slice(2) : DEFAULT) {
  const [name, rounding] = argument.split(':')
  const format = elementFormatNamed(name)
  const start = performance.now()
  const codeOf = (pattern) => {
    bits[0] = pattern
    return encode(format, single[0], rounding)
  }
  const expected = new Uint32Array(BLOCK)
  const fill = (base, from, to, first, last) => {
    if (first === last) expected.fill(first, from, to + 1)
    else if (to - from === 1) [expected[from], expected[to]] = [first, last]
    else {
      const middle = (from + to) >> 1
      const code = codeOf(base + middle)
      fill(base, from, middle, first, code)
      fill(base, middle, to, code, last)
    }
  }
  let checked = 0
  for (let base = 0; base < 2 ** 32; base += BLOCK) {
    const size = base & 0x7fffffff
    // NaN: the same code for all, or refused.
    const count = size > 0x7f800000 ? 0 : size === 0x7f800000 ? 1 : BLOCK
    if (count === 0) continue
    for (let i = 0; i < count; i++) patterns[i] = base + i
    const codes = encodeArray(format, values.subarray(0, count), rounding && { rounding })
    // In steps of 4096, so that equal ends with other codes between them would need more than one breakpoint.
    if (count === 1) expected[0] = codeOf(base)
    else
      for (let from = 0; from < BLOCK; from += 4096)
        fill(base, from, from + 4095, codeOf(base + from), codeOf(base + from + 4095))
    for (let i = 0; i < count; i++)
      if (codes[i] !== expected[i])
        throw new Error(
          `${argument}: pattern ${(base + i).toString(16)}: ${codes[i]} (${decode(format, codes[i])}), not ${expected[i]}`,
        )
    checked += count
  }
  const seconds = (performance.now() - start) / 1000
  console.log(`${argument}: ${checked} patterns equal, ${seconds.toFixed(1)} s`)
}
