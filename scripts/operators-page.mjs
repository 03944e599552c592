// `node scripts/operators-page.mjs [--check]`: writes docs/operators.md from the registry of operators. With --check
// nothing is written, and the exit code is 1 when the page says something else.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Least and greatest version of the default operator set that is read. */
const OPSETS = [7, 28]

const MEANINGS = {
  accumulate: 'weighted sum (R3)',
  average: 'average (R6)',
  sum: 'sum (R5)',
  product: 'product (R11)',
  'matrix-product': 'product of matrices (R15)',
  rescale: 'rescale (R10)',
  table: 'table (R7) or curve (R9)',
  softmax: 'softmax (R13)',
  normalize: 'normalisation (R16)',
  'same-scale': 'moves codes',
  join: 'joins, rescales',
  boundary: 'absorbed into the plan',
  none: '–',
}

/** What an operator's line says besides. */
const NOTES = {
  Attention: 'with past, masks, windows, softcap; the number of valid keys may be computed at run time',
  BatchNormalization: 'folded where its parameters are constants; the training form in the reference only',
  BitShift: 'a shift by the width or more gives 0',
  Cast: 'NaN and infinities to integers are refused; integers wrap',
  CastLike: 'as Cast',
  Clip: 'integers of any width',
  CenterCropPad: 'constant sizes',
  Col2Im: 'constant sizes',
  Compress: 'constant condition',
  Conv: 'any number of spatial axes; integer: one and two',
  ConvTranspose: 'auto_pad, output_shape, output_padding, groups, dilations',
  CumSum: 'axis may be computed at run time',
  DequantizeLinear: 'int2 to int32, float8, float4; per tensor, axis or block',
  Div: 'integers towards zero; a zero divisor is refused; a constant divisor becomes Mul',
  Dropout:
    'at inference, or with ratio 0; in training with a seed it is read as a product with the mask of ONNX’s reference',
  DynamicQuantizeLinear: 'finite numbers only',
  Einsum: 'any equation with letters and "..."',
  GroupNormalization: 'from opset 21: scale and bias per channel',
  Identity: 'dense tensors',
  LSTM: 'a sequence length per sample must cover the whole sequence',
  GRU: 'a sequence length per sample must cover the whole sequence',
  MatMul: 'integer: one operand constant; of two computed ones (R15)',
  MaxPool: 'Indices in the float meaning',
  Mod: 'floats with fmod',
  NonZero: 'constant operand',
  OneHot: 'constant depth',
  Pad: 'constant, reflect, edge and wrap; integer: constant',
  Pow: 'integer bases wrap',
  PRelu: 'integer: a slope per channel',
  QuantizeLinear: 'int2 to int16, float8, float4; per tensor, axis or block',
  Range: 'constant bounds',
  Resize: 'integer: nearest and linear without antialiasing',
  RotaryEmbedding: 'position ids may be computed at run time',
  ScatterElements: 'all reductions; an index outside is refused',
  ScatterND: 'all reductions; an index outside is refused',
  Swish: 'becomes Mul and Sigmoid',
  TopK: 'constant k; of equal elements the first wins',
}

const REPLACED = [
  ['Upsample', 7, 9, 'becomes Resize'],
  ['Scatter', 9, 10, 'becomes ScatterElements'],
]

/** The page for operators (of src/graph/operators/index.ts) and the names that can be lowered (of src/lower/lower.ts). */
export function operatorsPage(operators, lowerable) {
  const fused = { Conv: 'dyadic.Conv', Gemm: 'dyadic.Dense', MatMul: 'dyadic.Dense' }
  const rows = [...operators]
    .filter(([name]) => !name.includes('.'))
    .map(([name, { since, integer }]) => {
      const compiled = lowerable.has(name) || lowerable.has(fused[name]) || integer === 'boundary'
      const first = Math.max(OPSETS[0], Math.min(...since))
      return [name, `${first}–${OPSETS[1]}`, compiled ? MEANINGS[integer] : '–', NOTES[name] ?? '']
    })
  for (const [name, first, last, note] of REPLACED) rows.push([name, `${first}–${last}`, 'as what it becomes', note])
  rows.push(['Constant', `${OPSETS[0]}–${OPSETS[1]}`, 'stored', 'dense numbers'])
  rows.sort(([a], [b]) => (a < b ? -1 : 1))
  return `# Operators

Made by \`node scripts/operators-page.mjs\` from \`src/graph/operators\`; a test compares. ${rows.length} operators of the
domain \`ai.onnx\`, versions ${OPSETS[0]} to ${OPSETS[1]}. Every one has a float meaning, in \`src/graph/operators\`, which the ONNX node
suite checks (\`npm run conformance\`). The column *integer* says what a compiled network makes of it, in the rules of
[arithmetic.md](arithmetic.md); "–" means that it must be gone when the network is compiled: folded, because all its
operands are constants, or part of a form that is recognised. A model with any other operator, domain or version is
refused, with all of them named at once.

Shapes are static: what decides a shape (the target of Reshape, k of TopK, …) must be a constant when the model is
read. Where we differ from ONNX Runtime on purpose, [deviations.md](deviations.md) says so.

| operator | opsets | float | integer | notes |
| --- | --- | --- | --- | --- |
${rows.map(([name, opsets, integer, note]) => `| ${name} | ${opsets} | yes | ${integer} | ${note} |`).join('\n')}
`
}

/** Bundles the registry, which is TypeScript, and loads it. */
async function load() {
  const { build } = await import('esbuild')
  const folder = mkdtempSync(join(tmpdir(), 'dyadic-operators-'))
  try {
    const outfile = join(folder, 'operators.mjs')
    const contents = `export { operators } from './src/graph/operators/index.ts'
export { lowerable } from './src/lower/lower.ts'`
    const resolveDir = fileURLToPath(new URL('..', import.meta.url))
    await build({ stdin: { contents, resolveDir }, outfile, bundle: true, platform: 'node', format: 'esm' })
    return await import(pathToFileURL(outfile).href)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { operators, lowerable } = await load()
  const page = new URL('../docs/operators.md', import.meta.url)
  const text = operatorsPage(operators, lowerable)
  if (!process.argv.includes('--check')) writeFileSync(page, text)
  else if (readFileSync(page, 'utf8') !== text) {
    process.stderr.write('docs/operators.md is not up to date: run node scripts/operators-page.mjs\n')
    process.exitCode = 1
  }
}
