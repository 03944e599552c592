/**
 * The report of a compiled program: what was done and by which version, how large everything is, where in memory it lies,
 * what it loses, what it answers, and what has been proven. One HTML file that loads nothing and runs nothing. Figures that a
 * script may want stand in `<data data-figure="…" value="…">`, with the values of the manifest.
 */
import type { Comparison } from '../compare/comparison.ts'
import { answersSection, type SampleAnswers } from './answers-section.ts'
import { escapeText, nameElement, plainName } from './escape.ts'
import { lossSections, lossVerdict, SQNR_NOTE } from './loss-sections.ts'
import { factList, renderPage, tiles } from './page.ts'
import { type MemoryBuffer, plotMemory } from './plot-memory.ts'
import { byteText, decibelText, integerText, shareText } from './quantities.ts'

type Bounds = readonly [low: number, high: number]

/** What is known about one program. Texts are plain: this file escapes them. */
export interface ProgramReport {
  readonly network: string
  /** Version of dyadic. */
  readonly version: string
  /** What was done, in order. */
  readonly steps: readonly (readonly [step: string, detail: string])[]
  /** Options and their values, as one would write them. */
  readonly options: readonly (readonly [name: string, value: string])[]
  readonly hashes: readonly (readonly [what: string, sha256: string])[]
  readonly sizes: {
    readonly wasmBytes: number
    /** The file after gzip at its best. */
    readonly gzipBytes: number
    /** Bytes that data segments put into memory. */
    readonly weightBytes: number
    /** Instructions with what belongs to them, and the manifest with the certificate. */
    readonly codeBytes: number
    readonly manifestBytes: number
    /** The ONNX file it came from. */
    readonly onnxBytes: number
  }
  readonly memory: { readonly bytes: number; readonly constantBytes: number; readonly arenaBytes: number }
  readonly buffers: readonly MemoryBuffer[]
  readonly instructions: readonly { readonly name: string; readonly kind: string }[]
  readonly certificate: {
    readonly largestAccumulator: number
    readonly headroomBits: number
    readonly rows: readonly {
      readonly name: string
      readonly kind: string
      readonly accumulator: Bounds
      readonly biased: Bounds
      readonly requantised: Bounds
      readonly stored: Bounds
    }[]
  }
  /** Losses on samples, or why there are none. */
  readonly comparison: Comparison | string
  readonly answers?: SampleAnswers
}

function figure(name: string, value: number, text: string): string {
  return `<data data-figure="${name}" value="${value}">${text}</data>`
}

function programTiles({ sizes, memory, comparison, answers, certificate }: ProgramReport): string {
  const cells: [string, string][] = [
    [figure('wasmBytes', sizes.wasmBytes, byteText(sizes.wasmBytes)), 'the module'],
    [figure('gzipBytes', sizes.gzipBytes, byteText(sizes.gzipBytes)), 'the module, gzip'],
    [figure('memoryBytes', memory.bytes, byteText(memory.bytes)), 'memory, fixed'],
    [
      figure('headroomBits', certificate.headroomBits, `${certificate.headroomBits} bits`),
      'to spare in every accumulator',
    ],
  ]
  if (typeof comparison !== 'string')
    for (const { name, accumulated } of comparison.outputs.slice(0, 2))
      cells.push([decibelText(accumulated.sqnrDb), `output ${nameElement(name)}`])
  if (answers) cells.push([shareText(answers.agreed / answers.samples), 'answered as the float network'])
  return tiles(cells)
}

function sizeTable({ sizes, memory }: ProgramReport): string {
  const { wasmBytes, weightBytes, codeBytes, manifestBytes, gzipBytes, onnxBytes } = sizes
  const rows: [name: string, what: string, bytes: number, of?: number][] = [
    ['weightBytes', 'weights, biases, multipliers, tables', weightBytes, wasmBytes],
    ['codeBytes', 'instructions', codeBytes, wasmBytes],
    ['manifestBytes', 'manifest with certificate, seal', manifestBytes, wasmBytes],
    ['wasmBytesInAll', 'the module', wasmBytes, wasmBytes],
    ['gzipBytesInAll', 'the module as a server sends it, gzip', gzipBytes],
    ['onnxBytes', 'the ONNX file', onnxBytes],
    ['constantBytes', 'memory: constants', memory.constantBytes, memory.bytes],
    ['arenaBytes', 'memory: values and scratch', memory.arenaBytes, memory.bytes],
    ['memoryBytesInAll', 'memory in whole pages of 64 KiB', memory.bytes, memory.bytes],
  ]
  const cells = rows.map(
    ([name, what, bytes, of]) =>
      `<tr><td>${what}</td><td class="n">${figure(name, bytes, integerText(bytes))}</td><td class="n">${of === undefined ? '' : shareText(bytes / of)}</td></tr>`,
  )
  return `<div class="frame scroll"><table><thead><tr><th>part</th><th class="n">bytes</th><th class="n">share</th></tr></thead><tbody>${cells.join('\n')}</tbody></table></div>`
}

function certificateTable({ rows }: ProgramReport['certificate']): string {
  const interval = ([low, high]: Bounds): string => `<td class="n">${integerText(low)} … ${integerText(high)}</td>`
  const cells = rows.map(
    ({ name, kind, accumulator, biased, requantised, stored }) =>
      `<tr data-bounds="${[...accumulator, ...biased, ...requantised, ...stored].join(' ')}"><td>${nameElement(name)}</td><td>${escapeText(kind)}</td>${[accumulator, biased, requantised, stored].map(interval).join('')}</tr>`,
  )
  const head = ['partial sums', 'with bias', 'requantised', 'stored']
  return `<div class="frame scroll"><table class="bounds"><thead><tr><th>instruction</th><th>kind</th>${head.map((title) => `<th class="n">${title}</th>`).join('')}</tr></thead><tbody>${cells.join('\n')}</tbody></table></div>`
}

/** The name of an instruction, for those who look one up in the memory map. */
function instructionList({ instructions }: ProgramReport): string {
  const items = instructions.map(({ name, kind }) => `<li>${nameElement(name)} ${escapeText(kind)}</li>`)
  return `<details><summary>The ${instructions.length} instructions by number</summary>\n<ol class="instructions" start="0">${items.join('\n')}</ol>\n</details>`
}

function lossPart({ comparison }: ProgramReport): string {
  if (typeof comparison === 'string')
    return `<h2>Where it is lost</h2>\n<p>Not measured: ${escapeText(comparison)}.</p>`
  return `<h2>What it loses</h2>\n<p>On ${integerText(comparison.samples)} sample${comparison.samples === 1 ? '' : 's'} of ${nameElement(comparison.data)}, against the float network.</p>\n${lossVerdict(comparison)}\n${lossSections(comparison)}`
}

/** The whole file. Deterministic text: equal records give equal bytes. */
export function renderProgramReport(report: ProgramReport): string {
  const { network, version, steps, options, hashes, memory, buffers, instructions, certificate, answers } = report
  const code = (text: string): string => `<code>${escapeText(text)}</code>`
  const given = options.map(([name, value]) => code(value === '' ? name : `${name} ${value}`)).join(' ')
  return renderPage({
    eyebrow: 'dyadic compile',
    title: `${plainName(network)}: the program`,
    heading: nameElement(network),
    introduction: `One WebAssembly module that computes with integers only, made by dyadic ${escapeText(version)}.`,
    body: `${programTiles(report)}
<h2>What was done</h2>
${factList([...steps.map(([step, detail]) => [escapeText(step), escapeText(detail)] as const), ['options', given || 'none']])}
${answers ? answersSection(answers) : ''}
<h2>Sizes</h2>
${sizeTable(report)}
<h2>Memory</h2>
<p class="soft">Each rectangle is a buffer: its height are its bytes, its width the instructions during which they may not be overwritten. The first ${integerText(memory.constantBytes)} bytes below are constants.</p>
<ul class="legend"><li><i class="a"></i>values</li><li><i class="s"></i>inputs of convolutions, widened to 16 bits</li><li><i class="p"></i>arrays of the caller</li></ul>
<div class="frame plotted">${plotMemory(buffers, memory.arenaBytes, instructions.length)}</div>
${instructionList(report)}
${lossPart(report)}
<h2>Certificate</h2>
<p>Proven for every input that the format can hold: no accumulator leaves ±${figure('largestAccumulator', certificate.largestAccumulator, integerText(certificate.largestAccumulator))}, ${certificate.headroomBits} bits below the limit of int32. Each row is an instruction with arithmetic and the smallest and largest integer of each of its steps.</p>
${certificateTable(certificate)}
<h2>Hashes</h2>
<p class="soft">SHA-256. <code>dyadic verify</code> computes them again.</p>
${factList(hashes.map(([what, sha256]) => [escapeText(what), code(sha256)] as const))}`,
    footer: typeof report.comparison === 'string' ? `Made by dyadic ${escapeText(version)}.` : SQNR_NOTE,
  })
}
