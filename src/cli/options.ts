/**
 * Every option of every command, once: one name, one meaning, one default. Values are checked while they are parsed, so
 * that a wrong one ends the program with exit code 2 and the valid values before anything is read.
 */

import { type Command, Option } from 'commander'
import { onnxFormats } from '../export/export-onnx.ts'
import { defaultWorkLimits } from '../graph/work-limits.ts'
import { DEFAULT_RANGE } from '../index.ts'
import { limitNames } from '../onnx/index.ts'
import { type KeepRule, keptFormats } from '../quantize/format-choice.ts'
import { type MethodName, methodNames } from '../quantize/methods.ts'
import type { RangeMethod } from '../quantize/observe.ts'
import {
  type NonlinearFamily,
  nonlinearFamilies,
  type StatePair,
  type WeightFormat,
  weightFormats,
} from '../quantize/plan.ts'
import type { InnerFormat } from '../quantize/scales.ts'
import { type GroupSize, groupSizes } from '../quantize/weight-groups.ts'
import { bitChoices } from '../search/bit-choice.ts'
import { type Budget, parseBudget } from '../search/budget.ts'
import {
  DATA,
  entry,
  GATES,
  GENERAL,
  GROUPS,
  MODEL,
  NUMBERS,
  nameList,
  type OptionEntry,
  parsed,
  positiveInteger,
} from './option-entry.ts'
import {
  axisSize,
  bindings,
  bitList,
  bitWidth,
  byteCount,
  type Emittable,
  emitList,
  emittable,
  groupSize,
  keepRules,
  limitList,
  methodList,
  peerList,
  rangeMethod,
  share,
  statePairs,
} from './option-values.ts'
import { type PeerName, peerNames } from './peers.ts'
import { studyOptions } from './study-options.ts'

/** Files that `export` can write. */
const exportFormats = [...onnxFormats, 'c'] as const

/** Formats that calibration gives weights; u8 is for files that bring their own. */
type WeightWidth = Exclude<WeightFormat, 'u8'>
const weightWidths = weightFormats.filter((format): format is WeightWidth => format !== 'u8')
const innerFormats = ['u8', 's8', 'u4', 's4', 's16'] as const satisfies readonly InnerFormat[]

const table = {
  batch: entry<number>({
    flags: '--batch <size>',
    group: MODEL,
    default: 1,
    parse: positiveInteger,
    help: 'size of a symbolic first axis; programs are compiled for 1',
  }),
  axis: entry<Readonly<Record<string, number>>>({
    flags: '--axis <name=value>',
    group: MODEL,
    parse: axisSize,
    help: 'size of a symbolic axis; may be given several times',
  }),
  bind: entry<Readonly<Record<string, readonly number[]>>>({
    flags: '--bind <name=value>',
    group: MODEL,
    parse: bindings,
    help: 'makes an input a constant, as sr=16000 (elements of a list separated by commas), or gives a symbolic axis its size; may be given several times',
  }),
  limits: entry<Readonly<Record<string, number>>>({
    flags: '--limits <name=value,...>',
    group: MODEL,
    parse: limitList,
    help: `how much an ONNX file may ask for: ${[...limitNames, ...Object.keys(defaultWorkLimits)].join(', ')}; docs/limits.md`,
  }),
  calibrate: entry<string>({
    flags: '--calibrate <data>',
    group: DATA,
    help: 'samples to observe: a data card (.json), a folder of pictures or of .npy files, an .npy file or a .tar of pictures; for several inputs name=data,name=data',
  }),
  state: entry<readonly StatePair[]>({
    flags: '--state <input=output>',
    group: DATA,
    parse: statePairs,
    help: 'an output that is an input of the next step; both get one scale; may be given several times',
  }),
  sequence: entry<number>({
    flags: '--sequence <count>',
    group: DATA,
    parse: positiveInteger,
    help: 'samples in a row that are steps of one sequence; states start at zero (default: all are one sequence)',
  }),
  samples: entry<number>({
    flags: '--samples <count>',
    group: DATA,
    parse: positiveInteger,
    help: 'use only the first samples of --calibrate (default: all)',
  }),
  eval: entry<string>({
    flags: '--eval <data>',
    group: DATA,
    help: 'labelled data: compare the float network with the compiled program, sample by sample',
  }),
  data: entry<string>({ flags: '--data <data>', group: DATA, help: 'labelled data: usually a data card (.json)' }),
  limit: entry<number>({
    flags: '--limit <count>',
    group: DATA,
    parse: positiveInteger,
    help: 'use only the first samples of the labelled data (default: all)',
  }),
  input: entry<readonly string[]>({
    flags: '--input <name=file>',
    group: DATA,
    parse: (text, previous) => [...(previous ?? []), text],
    help: 'an input as .npy or .json; once per input; the name may be left out when there is one',
  }),
  weights: entry<WeightWidth>({
    flags: '--weights <format>',
    group: NUMBERS,
    choices: weightWidths,
    default: 's8',
    help: 'format of weights, one scale per output channel',
  }),
  activations: entry<InnerFormat | 'auto'>({
    flags: '--activations <format>',
    group: NUMBERS,
    choices: ['auto', ...innerFormats],
    default: 'auto',
    help: 'format of values between layers; auto takes u8 where that keeps every output near the float network, else s16',
  }),
  keep: entry<readonly KeepRule[]>({
    flags: '--keep <pattern:format,...>',
    group: NUMBERS,
    parse: keepRules,
    help: `other formats by name: a regular expression, @first or @last, and ${keptFormats.join(', ')}; w is for weights; may be given several times`,
  }),
  granularity: entry<'tensor' | 'channel'>({
    flags: '--granularity <what>',
    group: NUMBERS,
    choices: ['tensor', 'channel'],
    default: 'tensor',
    help: 'one range for a value between layers, or one for each of its channels',
  }),
  group: entry<GroupSize>({
    flags: '--group <size>',
    group: NUMBERS,
    parse: groupSize,
    help: `4-bit weights in groups with a factor of their own: ${groupSizes.join(', ')} (default: none)`,
  }),
  nonlinear: entry<NonlinearFamily>({
    flags: '--nonlinear <family>',
    group: NUMBERS,
    choices: nonlinearFamilies,
    default: 'default',
    help: 'how softmax, normalisation and GELU compute: dyadic’s own way, I-ViT’s shifts (as trained, or as its deployment graph), or I-BERT’s polynomials',
  }),
  symmetric: entry<boolean>({ flags: '--symmetric', group: NUMBERS, help: 'zero point 0 for every activation' }),
  range: entry<RangeMethod>({
    flags: '--range <method>',
    group: NUMBERS,
    default: DEFAULT_RANGE,
    parse: rangeMethod,
    help: 'how ranges are chosen: minmax, mse, entropy, or percentile:P with 50 < P <= 100',
  }),
  method: entry<readonly MethodName[]>({
    flags: '--method <list>',
    group: NUMBERS,
    parse: methodList,
    help: `what improves the plan after that: none, or some of ${methodNames.join(', ')} (default: gptq,bias-correction; of search: none)`,
  }),
  budget: entry<readonly Budget[]>({
    flags: '--budget <cost<=most>',
    group: NUMBERS,
    parse: (text, previous) => [...(previous ?? []), parsed(() => parseBudget(text))],
    help: 'bytes<=60% (of the 8-bit plan), bytes<=120KB, bops<=0.9G or ms<=3.5; may be given once per cost',
  }),
  bits: entry<readonly number[]>({
    flags: '--bits <list>',
    group: NUMBERS,
    default: [4, 8],
    parse: bitList,
    help: `bits that a layer may have: some of ${bitChoices.map(({ bits }) => bits).join(', ')}, separated by commas`,
  }),
  sensitivity: entry<'measured' | 'divergence' | 'weights'>({
    flags: '--sensitivity <kind>',
    group: NUMBERS,
    choices: ['measured', 'divergence', 'weights'],
    default: 'measured',
    help: 'what a layer with few bits costs: the error of the outputs, the divergence of the scores, both measured on the network, or the error of the weights alone',
  }),
  formats: entry<readonly string[]>({
    flags: '--formats <list>',
    group: NUMBERS,
    parse: nameList,
    help: 'number formats separated by commas (default: one or more of each family); `dyadic formats` lists them',
  }),
  ...studyOptions,
  weightsBits: entry<number>({
    flags: '--weights-bits <bits>',
    group: NUMBERS,
    default: 8,
    parse: bitWidth,
    help: 'bits of every weight; 32 for the float network',
  }),
  activationBits: entry<number>({
    flags: '--activation-bits <bits>',
    group: NUMBERS,
    default: 8,
    parse: bitWidth,
    help: 'bits of every value between layers; 32 for the float network',
  }),
  plan: entry<string>({
    flags: '--plan <file>',
    group: NUMBERS,
    help: 'a plan written by `dyadic quantize`, possibly edited',
  }),
  against: entry<readonly PeerName[]>({
    flags: '--against <list>',
    group: DATA,
    parse: peerList,
    help: `other runtimes to time beside the program, where they are installed: ${peerNames.join(', ')}`,
  }),
  onnx: entry<string>({ flags: '--onnx <file>', group: DATA, help: 'what --against runs: the network of the program' }),
  tiles: entry<string>({
    flags: '--tiles <file>',
    group: MODEL,
    help: 'which shader serves which shape on a GPU: a table written by --tune-gpu',
  }),
  tuneGpu: entry<boolean>({
    flags: '--tune-gpu',
    group: MODEL,
    help: 'time every shader that fits on every product of a .gpu, and find the fastest',
  }),
  reference: entry<boolean>({
    flags: '--reference',
    group: DATA,
    help: 'run the .onnx by its definition: slow and obvious',
  }),
  integer: entry<boolean>({ flags: '--integer', group: DATA, help: 'inputs and outputs are the stored integers' }),
  maxLoss: entry<number>({
    flags: '--max-loss <share>',
    group: GATES,
    parse: share,
    help: 'most samples of --eval that may be lost, (lost - gained) / total, such as 0.5%',
  }),
  maxBytes: entry<number>({
    flags: '--max-bytes <size>',
    group: GATES,
    parse: byteCount,
    help: 'largest .wasm file, such as 500000, 500KB or 64KiB',
  }),
  maxMemory: entry<number>({
    flags: '--max-memory <size>',
    group: GATES,
    parse: byteCount,
    help: 'most memory of the program while it runs',
  }),
  out: entry<string>({ flags: '-o, --out <path>', group: GENERAL, help: 'where the result goes' }),
  format: entry<(typeof exportFormats)[number]>({
    flags: '--format <form>',
    group: GENERAL,
    choices: exportFormats,
    default: 'qdq',
    help: 'what to write',
  }),
  emit: entry<readonly Emittable[]>({
    flags: '--emit <list>',
    group: GENERAL,
    parse: emitList,
    help: `more files beside the module: ${emittable.join(',')}`,
  }),
  plot: entry<string>({
    flags: '--plot <file>',
    group: GENERAL,
    help: 'the Pareto front as a picture: .svg or .html',
  }),
  graph: entry<boolean>({
    flags: '--graph',
    group: GENERAL,
    help: 'print the graph that is compiled, in place of the table of layers',
  }),
  json: entry<boolean>({ flags: '--json', group: GENERAL, help: 'print exactly one JSON object on stdout' }),
  config: entry<string>({
    flags: '-c, --config <file>',
    group: GENERAL,
    help: 'options from a .json, .mjs or .ts file, or none (default: dyadic.config.* in this folder, where there is one)',
  }),
  printConfig: entry<boolean>({
    flags: '--print-config',
    group: GENERAL,
    help: 'print every option, its value and where that comes from, and do nothing else',
  }),
  quiet: entry<boolean>({ flags: '-q, --quiet', group: GENERAL, help: 'no notes and no progress on stderr' }),
} as const

export type OptionName = keyof typeof table
type ValueOf<Name extends OptionName> = (typeof table)[Name] extends OptionEntry<infer Value> ? Value : never

/** Parsed values of some options; undefined where an option was not given and has no default. */
export type OptionValues<Name extends OptionName> = { readonly [Key in Name]?: ValueOf<Key> }

/** Options that every command has. */
export const COMMON_OPTIONS = ['config', 'printConfig', 'json', 'quiet'] as const satisfies readonly OptionName[]

/** Gives a command its options. `meanings` says more about an option where a command has more to say. */
export function addOptions(
  command: Command,
  names: readonly OptionName[],
  meanings: Readonly<Partial<Record<OptionName, string>>> = {},
): void {
  // Options stand in groups, and the groups of all commands in one order.
  const place = (name: OptionName): number => GROUPS.indexOf((table[name] as OptionEntry<unknown>).group)
  for (const name of [...names].sort((a, b) => place(a) - place(b))) {
    const { flags, help, group, default: value, choices, parse } = table[name] as OptionEntry<unknown>
    const option = new Option(flags, meanings[name] ?? help).helpGroup(group)
    if (value !== undefined) option.default(value, Array.isArray(value) ? value.join(',') : undefined)
    if (choices) option.choices(choices)
    if (parse) option.argParser(parse)
    command.addOption(option)
  }
}
