/**
 * Formats by name. Names that are listed have a line about where they come from; further ones are read from their parts
 * (`e5m1-finite`, `uint6-zero-31`, `power4-0.55`, `int4-group64`). A name never leaves the variant open: five formats are called
 * E4M3, so `e4m3` alone is none of them.
 */
import { DyadicError, quoted } from '../error.ts'
import { flintFormat, powerFormat, powerOfTwoFormat } from './adaptive.ts'
import { exponentOf } from './binary64.ts'
import type { BlockFormat } from './blocks.ts'
import { largest } from './convert.ts'
import { type ElementFormat, saturating } from './element-format.ts'
import { integerFormat } from './integers.ts'
import { exponentFormat, type MinifloatConvention, minifloatFormat } from './minifloats.ts'

/** Anything that has a name: one element's format, or that of blocks of them. */
export type Format = ElementFormat | BlockFormat

/** A line of the list of formats. */
export interface CatalogueEntry {
  readonly name: string
  readonly family: 'integers' | 'minifloats' | 'adaptive' | 'blocks'
  readonly summary: string
}

const float = (
  name: string,
  exponentBits: number,
  mantissaBits: number,
  convention: MinifloatConvention,
  bias?: number,
): ElementFormat =>
  minifloatFormat({ name, exponentBits, mantissaBits, convention, ...(bias !== undefined && { bias }) })

/** Block formats share their elements and scales with each other and with callers. */
const E8M0 = exponentFormat('e8m0', 8, 127)
const E4M3FN = float('e4m3fn', 4, 3, 'fn')
const E5M2 = float('e5m2', 5, 2, 'ieee')
const E3M2 = float('e3m2', 3, 2, 'finite')
const E2M3 = float('e2m3', 2, 3, 'finite')
const E2M1 = float('e2m1', 2, 1, 'finite')

function microscaling(name: string, element: ElementFormat): BlockFormat {
  const saturated = saturating(element)
  const greatestExponent = exponentOf(largest(element))
  const scaling = { kind: 'power-of-two', scale: E8M0, greatestExponent } as const
  return { kind: 'block', name, element: saturated, size: 32, scaling }
}

const group = (name: string, bits: number, size: number): BlockFormat => ({
  kind: 'block',
  name,
  element: integerFormat({ bits, symmetric: true }),
  size,
  scaling: { kind: 'float32' },
})

const dynamicFixedPoint = (name: string, bits: number, headroom: number): BlockFormat => ({
  kind: 'block',
  name,
  element: integerFormat({ bits }),
  size: 'tensor',
  scaling: { kind: 'fixed-point', headroom },
})

type Listed = readonly [name: string, family: CatalogueEntry['family'], summary: string, make: () => Format]

const integerWidths = Array.from({ length: 15 }, (_, index) => index + 2)

const listed: readonly Listed[] = [
  ...integerWidths.map((bits): Listed => {
    const range = `-${2 ** (bits - 1)} .. ${2 ** (bits - 1) - 1}`
    return [`int${bits}`, 'integers', `two's complement, ${range}`, () => integerFormat({ bits })]
  }),
  ...integerWidths.map(
    (bits): Listed => [
      `uint${bits}`,
      'integers',
      `0 .. ${2 ** bits - 1}`,
      () => integerFormat({ bits, signed: false }),
    ],
  ),
  ['int4-symmetric', 'integers', '-7 .. 7', () => integerFormat({ bits: 4, symmetric: true })],
  ['int8-symmetric', 'integers', '-127 .. 127', () => integerFormat({ bits: 8, symmetric: true })],
  [
    'uint8-zero-128',
    'integers',
    'code 128 is zero: -128 .. 127',
    () => integerFormat({ bits: 8, signed: false, zeroPoint: 128 }),
  ],
  ['e4m3fn', 'minifloats', 'OCP FP8 E4M3: one NaN, no infinity, up to 448', () => E4M3FN],
  ['e5m2', 'minifloats', 'OCP FP8 E5M2: as IEEE 754, up to 57344', () => E5M2],
  ['e4m3-ieee', 'minifloats', 'E4M3 with infinities and NaN, up to 240', () => float('e4m3-ieee', 4, 3, 'ieee')],
  ['e3m4-ieee', 'minifloats', 'E3M4 with infinities and NaN, up to 15.5', () => float('e3m4-ieee', 3, 4, 'ieee')],
  ['e4m3fnuz', 'minifloats', 'bias 8, NaN in place of -0, up to 240', () => float('e4m3fnuz', 4, 3, 'fnuz')],
  ['e5m2fnuz', 'minifloats', 'bias 16, NaN in place of -0, up to 57344', () => float('e5m2fnuz', 5, 2, 'fnuz')],
  ['e4m3b11fnuz', 'minifloats', 'bias 11, NaN in place of -0, up to 30', () => float('e4m3b11fnuz', 4, 3, 'fnuz', 11)],
  ['e4m3-finite', 'minifloats', 'every code a number, up to 480', () => float('e4m3-finite', 4, 3, 'finite')],
  ['e5m2-finite', 'minifloats', 'every code a number, up to 114688', () => float('e5m2-finite', 5, 2, 'finite')],
  ['e3m4-finite', 'minifloats', 'every code a number, up to 31', () => float('e3m4-finite', 3, 4, 'finite')],
  ['e2m5-finite', 'minifloats', 'every code a number, up to 7.875', () => float('e2m5-finite', 2, 5, 'finite')],
  ['e3m2', 'minifloats', 'OCP FP6 E3M2, up to 28', () => E3M2],
  ['e2m3', 'minifloats', 'OCP FP6 E2M3, up to 7.5', () => E2M3],
  ['e2m1', 'minifloats', 'OCP FP4 E2M1: 0 0.5 1 1.5 2 3 4 6', () => E2M1],
  ['e8m0', 'minifloats', 'OCP scale: powers of two, no sign, no zero', () => E8M0],
  ['bfloat16', 'minifloats', 'the upper half of a float32', () => float('bfloat16', 8, 7, 'ieee')],
  ['float16', 'minifloats', 'IEEE 754 binary16', () => float('float16', 5, 10, 'ieee')],
  ['tf32', 'minifloats', '8 exponent and 10 mantissa bits, 19 in all', () => float('tf32', 8, 10, 'ieee')],
  ['flint4', 'adaptive', 'ANT: 0 1 2 3 4 6 8 16 and a sign', () => flintFormat(4)],
  ['uflint4', 'adaptive', 'ANT: 0 .. 8 10 12 14 16 24 32 64', () => flintFormat(4, false)],
  ['flint8', 'adaptive', 'ANT: integers to 64, floats to 4096', () => flintFormat(8)],
  ['pot4', 'adaptive', 'powers of two: 0 1 2 .. 64 and a sign', () => powerOfTwoFormat(4)],
  ['upot4', 'adaptive', 'powers of two: 0 1 2 .. 16384', () => powerOfTwoFormat(4, false)],
  ['power4-0.5', 'adaptive', 'PowerQuant with exponent 1/2: squares 0 .. 49', () => powerFormat(4, 0.5)],
  ['power8-0.5', 'adaptive', 'PowerQuant with exponent 1/2: squares 0 .. 16129', () => powerFormat(8, 0.5)],
  ['mxfp8-e4m3', 'blocks', '32 of e4m3fn by a power of two', () => microscaling('mxfp8-e4m3', E4M3FN)],
  ['mxfp8-e5m2', 'blocks', '32 of e5m2 by a power of two', () => microscaling('mxfp8-e5m2', E5M2)],
  ['mxfp6-e3m2', 'blocks', '32 of e3m2 by a power of two', () => microscaling('mxfp6-e3m2', E3M2)],
  ['mxfp6-e2m3', 'blocks', '32 of e2m3 by a power of two', () => microscaling('mxfp6-e2m3', E2M3)],
  ['mxfp4', 'blocks', '32 of e2m1 by a power of two', () => microscaling('mxfp4', E2M1)],
  [
    'mxint8',
    'blocks',
    '32 of int8 / 64 by a power of two',
    () => microscaling('mxint8', integerFormat({ bits: 8, symmetric: true, unit: 1 / 64, name: 'int8/64' })),
  ],
  [
    'nvfp4',
    'blocks',
    '16 of e2m1 by e4m3fn, and float32 for the tensor',
    () => ({
      kind: 'block',
      name: 'nvfp4',
      element: E2M1,
      size: 16,
      scaling: { kind: 'two-level', scale: saturating(E4M3FN) },
    }),
  ],
  ['int4-group32', 'blocks', '32 of int4-symmetric by a float32', () => group('int4-group32', 4, 32)],
  ['int4-group128', 'blocks', '128 of int4-symmetric by a float32', () => group('int4-group128', 4, 128)],
  ['int8-group32', 'blocks', '32 of int8-symmetric by a float32', () => group('int8-group32', 8, 32)],
  ['dfp16', 'blocks', 'dynamic fixed point: int16, one exponent per tensor', () => dynamicFixedPoint('dfp16', 16, 0)],
]

/** The listed formats in the order of families. */
export const catalogue: readonly CatalogueEntry[] = listed.map(([name, family, summary]) => ({ name, family, summary }))

/** Forms of names that are not listed. */
export const namePatterns: readonly string[] = [
  'int<bits>[-symmetric][-zero-<code>], uint<bits>[-zero-<code>]',
  '[u]e<bits>m<bits>[b<bias>] followed by -ieee, fn, fnuz or -finite; any of them with -saturating',
  '[u]flint<bits>, [u]pot<bits>, [u]power<bits>-<exponent>[-nearest]',
  'int<bits>-group<size>, dfp<bits>[-headroom<bits>]',
]

const made = new Map<string, Format>()
const makers = new Map(listed.map(([name, , , make]) => [name, make]))

/** The format of a name; the same record each time. Throws `usage` listing the known names for one that is none. */
export function formatNamed(name: string): Format {
  const format = made.get(name) ?? makers.get(name)?.() ?? parse(name)
  made.set(name, format)
  return format
}

/** As {@link formatNamed}, for places where a block format makes no sense. Throws `usage` for one. */
export function elementFormatNamed(name: string): ElementFormat {
  const format = formatNamed(name)
  if (format.kind === 'element') return format
  throw new DyadicError('usage', `${quoted(name)} is a block format; an element format is needed, such as e4m3fn`)
}

function parse(name: string): Format {
  const saturated = /^(.+)-saturating$/.exec(name)
  if (saturated !== null) {
    const inner = formatNamed(saturated[1]!)
    if (inner.kind === 'element') return saturating(inner)
  }
  const number = (text: string | undefined): number => Number(text ?? 0)
  let parts = /^(u?)int(\d{1,2})(-symmetric)?(?:-zero-(-?\d{1,5}))?$/.exec(name)
  if (parts !== null)
    return integerFormat({
      ...{ bits: number(parts[2]), signed: parts[1] === '', symmetric: parts[3] !== undefined },
      ...{ zeroPoint: number(parts[4]), name },
    })
  parts = /^(u?)e(\d{1,2})m(\d{1,2})(?:b(-?\d{1,3}))?(?:(fnuz|fn)|-(ieee|finite))$/.exec(name)
  if (parts !== null)
    return minifloatFormat({
      ...{ exponentBits: number(parts[2]), mantissaBits: number(parts[3]), signed: parts[1] === '', name },
      convention: (parts[5] ?? parts[6]) as MinifloatConvention,
      ...(parts[4] !== undefined && { bias: number(parts[4]) }),
    })
  parts = /^(u?)flint(\d{1,2})$/.exec(name)
  if (parts !== null) return flintFormat(number(parts[2]), parts[1] === '')
  parts = /^(u?)pot(\d{1,2})$/.exec(name)
  if (parts !== null) return powerOfTwoFormat(number(parts[2]), parts[1] === '')
  parts = /^(u?)power(\d{1,2})-(\d(?:\.\d{1,15})?)(-nearest)?$/.exec(name)
  if (parts !== null)
    return powerFormat(number(parts[2]), number(parts[3]), {
      signed: parts[1] === '',
      decision: parts[4] === undefined ? 'power-space' : 'nearest-value',
    })
  parts = /^int(\d{1,2})-group([1-9]\d{0,6})$/.exec(name)
  if (parts !== null) return group(name, number(parts[1]), number(parts[2]))
  parts = /^dfp(\d{1,2})(?:-headroom(\d))?$/.exec(name)
  if (parts !== null && number(parts[2]) < number(parts[1]) - 1)
    return dynamicFixedPoint(name, number(parts[1]), number(parts[2]))
  throw unknown(name)
}

function unknown(name: string): DyadicError {
  const near = /^u?e\d+m\d+/.exec(name)?.[0]
  const variants = near === undefined ? [] : ['-ieee', 'fn', 'fnuz', '-finite'].map((convention) => near + convention)
  const families = ['integers', 'minifloats', 'adaptive', 'blocks'].map((family) => {
    const names = catalogue.filter((entry) => entry.family === family).map((entry) => entry.name)
    return `  ${family}: ${names.join(', ')}`
  })
  return new DyadicError(
    'usage',
    `no format is called ${quoted(name)}${variants.length > 0 ? `; say which one is meant: ${variants.join(', ')}` : ''}\n` +
      `${families.join('\n')}\n  and ${namePatterns.join('; ')}`,
  )
}
