/** `dyadic formats` and `dyadic formats compare`: what a number format is, and which one holds a tensor best. */
import { nodeFiles } from '../../data/node-files.ts'
import { readNpy } from '../../data/npy.ts'
import { DyadicError, quoted } from '../../error.ts'
import { type BlockFormat, bitsPerElement } from '../../formats/blocks.ts'
import { valueTable } from '../../formats/bulk.ts'
import { type CatalogueEntry, catalogue, formatNamed, namePatterns } from '../../formats/catalogue.ts'
import type { ElementFormat } from '../../formats/element-format.ts'
import {
  bitPicture,
  blockPicture,
  type FormatFacts,
  formatFacts,
  gridPlot,
  shortNumber,
  valueLines,
} from '../../formats/picture.ts'
import { type FormatScore, rankFormats } from '../../formats/ranking.ts'
import type { CommandDescription, CommandResult } from '../command.ts'
import { counted, fields, integer, table } from '../format.ts'

/** Formats of more bits are not printed value by value. */
const MOST_BITS_OF_VALUES = 8
/** Formats that are ranked where none are named. */
const COMPARED_FORMATS = [
  ...['int4-symmetric', 'e2m1', 'flint4', 'mxfp4', 'nvfp4', 'e2m3', 'e3m2', 'mxfp6-e2m3', 'int8-symmetric', 'e4m3fn'],
  ...['e5m2', 'mxfp8-e4m3', 'mxint8', 'bfloat16', 'float16'],
]
const LARGEST_TENSOR = 2 ** 31

export const formatsCommand: CommandDescription<never> = {
  name: 'formats',
  summary: 'the number formats: record, bits, values, range, spacing and a plot of each',
  description:
    'Prints what a number format is: every field of its record, the bits of a code, its values, range and spacing, and where ' +
    'the values lie. Without a name the formats are listed by family. --json has every value exactly.',
  argument: ['[name]', 'a format, such as e4m3fn or mxfp4; without it the list of formats'],
  options: [],
  examples: ['formats', 'formats e4m3fn', 'formats mxfp4', 'formats power4-0.55 --json'],
  async run({ argument: name }) {
    if (name === '') return listing()
    const format = formatNamed(name)
    return format.kind === 'block' ? describeBlock(format) : describeElement(format)
  },
}

function listing(): CommandResult {
  const families: CatalogueEntry['family'][] = ['integers', 'minifloats', 'adaptive', 'blocks']
  const bitsOf = (name: string): string => {
    const format = formatNamed(name)
    return shortNumber(format.kind === 'block' ? bitsPerElement(format) : format.bits)
  }
  const sections = families.map((family) => {
    const entries = catalogue.filter((entry) => entry.family === family)
    return `${family}\n${table(
      ['name', 'bits', ''],
      entries.map(({ name, summary }) => [name, bitsOf(name), summary]),
    )}`
  })
  return {
    json: {
      formats: catalogue.map((entry) => ({ ...entry, bits: Number(bitsOf(entry.name)) })),
      patterns: namePatterns,
    },
    text: `${sections.join('\n')}\nand ${namePatterns.join('\n    ')}\n`,
  }
}

/** NaN and infinities as JSON has none: their names. */
const jsonNumber = (value: number): number | string =>
  Object.is(value, -0) ? '-0' : Number.isFinite(value) ? value : String(value)

function recordOf(format: ElementFormat): Record<string, unknown> {
  return { ...format, nanCode: format.nanCode ?? null, infinityCode: format.infinityCode ?? null }
}

function describeElement(format: ElementFormat): CommandResult {
  const facts = formatFacts(format)
  const values = format.bits <= MOST_BITS_OF_VALUES ? [...valueTable(format)].map(jsonNumber) : undefined
  return {
    json: { format: recordOf(format), facts: { ...facts }, ...(values && { values }) },
    text:
      `${quoted(format.name)}, ${format.family}, ${format.bits} bits\n` +
      fields([
        ['code', bitPicture(format)],
        ['grid', describeGrid(format)],
        ['range', describeRange(facts)],
        ['spacing', describeSpacing(facts)],
        ['values', `${integer(facts.distinct)} distinct finite ones in ${integer(facts.codes)} codes`],
        ['specials', describeSpecials(format)],
        ['rounding', format.rounding],
      ]) +
      `\n${indented(gridPlot(format))}\n` +
      (format.bits <= MOST_BITS_OF_VALUES ? `\n${indented(valueLines(format))}\n` : ''),
  }
}

function describeBlock(format: BlockFormat): CommandResult {
  const { element, scaling } = format
  const rules = {
    'power-of-two': () =>
      '2^(floor(log2 max|v|) - exponent of the greatest element), E8M0; NaN or infinity: a NaN block',
    'two-level': () =>
      'e4m3fn of max|block| / greatest element / g; g = max|v| / (greatest element × greatest scale), float32',
    float32: () => 'max|block| / greatest element, rounded to float32',
    'fixed-point': () => 'the power of two that brings max|v| below the end of the integers, less the headroom',
  }
  return {
    json: {
      format: { ...format, element: recordOf(element) },
      bitsPerElement: bitsPerElement(format),
      facts: { ...formatFacts(element) },
    },
    text:
      `${quoted(format.name)}, blocks\n` +
      fields([
        ['block', blockPicture(format)],
        ['scale', rules[scaling.kind]()],
        ['element', `${describeGrid(element)}; ${describeSpecials(element)}`],
        ['range', describeRange(formatFacts(element)).replace(/^/, 'of an element: ')],
        ['rounding', element.rounding],
      ]) +
      `\n${indented(gridPlot(element))}\n`,
  }
}

const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ')

function describeGrid({ grid, zeroPoint }: ElementFormat): string {
  switch (grid.kind) {
    case 'integer':
      return `${grid.unit === 1 ? '' : `${grid.unit} × `}integers${zeroPoint === 0 ? '' : `, zero is code ${zeroPoint}`}`
    case 'minifloat':
      return `${counted(grid.exponentBits, 'exponent bit')}, ${counted(grid.mantissaBits, 'mantissa bit')}, bias ${grid.bias}, subnormals`
    case 'exponent':
      return `2^(code - ${grid.bias}), no sign, no zero`
    case 'power-of-two':
      return '0 and powers of two from 1'
    case 'flint':
      return `flint with ${grid.magnitudeBits} magnitude bits`
    case 'power':
      return `|q|^(1/${grid.exponent}), cut half way ${grid.decision === 'power-space' ? 'in the space of powers' : 'between values'}`
  }
}

function describeRange({ lowest, highest, leastPositive, leastNormal }: FormatFacts): string {
  const normal = leastNormal === undefined ? '' : `, least normal ${shortNumber(leastNormal)}`
  return `${shortNumber(lowest)} .. ${shortNumber(highest)}; least above 0: ${shortNumber(leastPositive)}${normal}`
}

function describeSpacing({ finestStep, coarsestStep, stepAtOne }: FormatFacts): string {
  if (finestStep === coarsestStep) return `${shortNumber(finestStep)} everywhere`
  const one = stepAtOne === undefined ? '' : `, ${shortNumber(stepAtOne)} above 1`
  return `${shortNumber(finestStep)} at the finest${one}, ${shortNumber(coarsestStep)} at the coarsest`
}

function describeSpecials({
  nanCode,
  infinityCode,
  negativeZero,
  onOverflow,
  onInfinity,
  onNaN,
}: ElementFormat): string {
  const hexadecimal = (code: number): string => `0x${code.toString(16)}`
  return [
    nanCode === undefined ? 'no NaN' : `NaN ${hexadecimal(nanCode)}`,
    infinityCode === undefined ? 'no infinity' : `infinity ${hexadecimal(infinityCode)}`,
    negativeZero ? '-0 has a code' : '-0 becomes 0',
    `overflow: ${onOverflow}`,
    `infinity: ${onInfinity}`,
    `NaN: ${onNaN === 'code' ? 'its code' : onNaN}`,
  ].join('; ')
}

export const formatsCompareCommand: CommandDescription<'formats'> = {
  name: 'formats compare',
  summary: 'rank formats on a tensor by signal-to-quantisation-noise ratio',
  description:
    'Rounds a tensor to each format and ranks them by SQNR, 10 log10(sum x^2 / sum (x - rounded)^2). An element format gets one ' +
    'scale for the tensor: that of the largest magnitude, or the one with the least squared error among 2^-10 to 4 times of ' +
    'it, whichever is better; block formats make their own scales, in blocks along the order of the file.',
  argument: ['tensor.npy', 'float32 or float64'],
  options: ['formats'],
  examples: [
    'formats compare weights.npy',
    'formats compare weights.npy --formats e2m1,int4-symmetric,mxfp4,nvfp4 --json',
  ],
  async run({ argument: path, options }) {
    const formats = (options.formats ?? COMPARED_FORMATS).map(formatNamed)
    const { data, shape } = readNpy(await nodeFiles.read(path, LARGEST_TENSOR), path)
    if (!(data instanceof Float32Array || data instanceof Float64Array))
      throw new DyadicError('refused', `${quoted(path)} holds integers; a tensor of float32 or float64 is compared`)
    if (data.length === 0) throw new DyadicError('refused', `${quoted(path)} is empty; there is nothing to compare`)
    const scores = rankFormats(formats, data)
    return {
      json: {
        tensor: path,
        shape,
        formats: scores.map((score) => ({
          ...score,
          sqnr: jsonNumber(score.sqnr),
          sqnrAtLargest: jsonNumber(score.sqnrAtLargest),
          losses: score.losses ?? null,
        })),
      },
      text: `${quoted(path)}: [${shape.join(', ')}], ${integer(data.length)} values\n${scoreTable(scores)}`,
    }
  },
}

const decibels = (value: number): string =>
  Number.isFinite(value) ? value.toFixed(2) : Number.isNaN(value) ? 'all 0' : 'exact'

function scoreTable(scores: readonly FormatScore[]): string {
  return table(
    ['format', 'bits', 'SQNR dB', 'scale by', 'scale', 'dB by largest', 'clipped', 'zeroed'],
    scores.map(({ name, bits, sqnr, scaling, scale, sqnrAtLargest, losses }) => [
      name,
      shortNumber(bits),
      decibels(sqnr),
      scaling,
      scaling === 'own rule' ? '' : shortNumber(scale),
      scaling === 'own rule' ? '' : decibels(sqnrAtLargest),
      losses === undefined ? '' : integer(losses.overflowed),
      losses === undefined ? '' : integer(losses.zeroed),
    ]),
  )
}
