/**
 * The language model of examples/stories: nats per token of the staged text under the float network and under the program,
 * greedy tokens against the published ones, and the step program against the whole sequence, bit for bit. It is calibrated on
 * text of its own; the staged text is only judged on.
 */
import { readFileSync } from 'node:fs'
import { compile, createFastExecutor, prepare, verifyModule } from '../../dist/index.js'
import { loadSync } from '../../dist/runtime/index.js'
import { buildStories } from '../../examples/stories/build.mjs'
import { beginStory, best, tellStory } from '../../examples/stories/story.mjs'
import { BEGIN } from '../../examples/stories/tokenizer.mjs'
import { located } from './build.mjs'
import { rounded } from './measure.mjs'

export const LANGUAGE = {
  name: 'stories260K',
  files: {
    weights: '../shared/models/stories260k/stories260K.bin',
    text: '../shared/models/stories260k/tinystories_sample.ids.json',
    greedy: '../shared/models/stories260k/expected_greedy.json',
  },
  /** Tokens of the longest sequence that is judged. */
  length: 512,
  /** Greedy tokens that are compared, and written for the float network to judge. */
  compared: 64,
  written: 256,
  families: ['default', 'poly', 'shift'],
  gates: {
    float: 1.2664,
    nll: { default: 1.3, shift: 1.325 },
    greedyEqual: 32,
    ownText: 1.5,
  },
}

/**
 * @typedef {{
 *   network: string, kind: 'language', family: string, floatNll: number, nll: number, tokens: number, agreement: number,
 *   greedyEqual: number, compared: number, ownTextNll: number, stepsEqual: boolean, stepMs: number,
 *   wasmBytes: number, stepBytes: number, memoryBytes: number, floatOpcodes: number, imports: number, verified: boolean,
 * }} LanguageRow `nll` in nats per predicted token; `agreement` the share of positions with the same most likely token;
 *   `greedyEqual` of `compared` published greedy tokens; `ownTextNll` what the float network says of the program's own text;
 *   `stepsEqual` whether every logit of the step program is that of the whole sequence.
 */

/**
 * A row for each family.
 * @param {(text: string) => void} [report] @returns {Promise<LanguageRow[]>}
 */
export async function measureLanguage(report = () => {}) {
  const { length, files, compared, written } = LANGUAGE
  const read = (name) => JSON.parse(readFileSync(located(files[name]), 'utf8'))
  const weights = readFileSync(located(files.weights))
  const { sequences } = read('text')
  const greedy = read('greedy').greedy_ids
  const rows = []
  for (const family of LANGUAGE.families) {
    report(`${LANGUAGE.name}, ${family}: quantising and compiling`)
    const stories = await buildStories(weights, { length, nonlinear: family })
    const full = compile(stories.full, stories.plan)
    const step = compile(stories.step, stories.stepPlan)
    const network = loadSync(full.wasm)
    const executor = createFastExecutor(prepare(stories.full).float)
    const { vocabulary } = stories.checkpoint.sizes
    const float = (tokens) => executor.run(new Map([['tokens', Float32Array.from(tokens)]])).get('logits')
    report(`${LANGUAGE.name}, ${family}: evaluating`)
    const total = { floatNll: 0, nll: 0, tokens: 0, equal: 0 }
    for (const sequence of sequences) {
      const tokens = padded(sequence, length)
      const [expected, found] = [float(tokens), network.run({ tokens: Array.from(tokens) }).logits]
      for (let t = 0; t + 1 < Math.min(sequence.length, length); t++) {
        const rowOf = (logits) => logits.subarray(t * vocabulary, (t + 1) * vocabulary)
        total.floatNll += surprise(rowOf(expected), sequence[t + 1])
        total.nll += surprise(rowOf(found), sequence[t + 1])
        total.equal += best(rowOf(expected)) === best(rowOf(found)) ? 1 : 0
        total.tokens++
      }
    }
    const own = [...tellStory(loadSync(step.wasm), [BEGIN], written)]
    const logits = float(padded(own, length))
    const ownNll = own
      .slice(1)
      .reduce((sum, token, t) => sum + surprise(logits.subarray(t * vocabulary, (t + 1) * vocabulary), token), 0)
    const reports = [full, step].map(({ wasm }) => verifyModule(wasm))
    rows.push({
      network: LANGUAGE.name,
      kind: /** @type {const} */ ('language'),
      family,
      floatNll: rounded(total.floatNll / total.tokens, 4),
      nll: rounded(total.nll / total.tokens, 4),
      tokens: total.tokens,
      agreement: rounded(total.equal / total.tokens, 4),
      greedyEqual: own.slice(0, compared).filter((token, i) => token === greedy[i]).length,
      compared,
      ownTextNll: rounded(ownNll / (own.length - 1), 4),
      ...compareSteps(loadSync(step.wasm), network, own.slice(0, compared), length),
      wasmBytes: full.wasm.length,
      stepBytes: step.wasm.length,
      memoryBytes: step.manifest.memory.bytes,
      floatOpcodes: reports.reduce((sum, { facts }) => sum + (facts?.floatOpcodes ?? 1), 0),
      imports: reports.reduce((sum, { facts }) => sum + (facts?.imports ?? 1), 0),
      verified: reports.every(({ ok }) => ok),
    })
  }
  return rows
}

/** Every logit of the steps against those of the whole sequence, and the time of a step. */
function compareSteps(step, whole, tokens, length) {
  const logits = whole.runInteger({ tokens: padded(tokens, length) }).logits
  const story = beginStory(step)
  const start = performance.now()
  const steps = tokens.map((token) => story.next(token))
  const stepMs = rounded((performance.now() - start) / tokens.length, 3)
  const stepsEqual = steps.every((codes, t) => codes.every((code, i) => code === logits[t * codes.length + i]))
  return { stepsEqual, stepMs }
}

/** Tokens of a sequence and zeros behind them, which no earlier position sees. */
function padded(sequence, length) {
  return Int32Array.from({ length }, (_, i) => sequence[i] ?? 0)
}

/** −log of the share of a token among e^logits. */
function surprise(logits, token) {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity)
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0)
  return largest + Math.log(sum) - logits[token]
}

/** One sentence per missed gate. @param {LanguageRow} row @returns {string[]} */
export function missedLanguageGates(row) {
  const { float, nll, greedyEqual, ownText } = LANGUAGE.gates
  const most = nll[row.family]
  /** @type {[boolean, string][]} */
  const checks = [
    [
      Math.abs(row.floatNll - float) <= 0.0005,
      `the float network has ${row.floatNll} nats per token, expected ${float}`,
    ],
    [most === undefined || row.nll <= most, `the program has ${row.nll} nats per token, at most ${most} are wanted`],
    [row.floatOpcodes === 0 && row.verified, 'a module has float instructions or does not verify'],
  ]
  // Shiftmax gives what is masked a share of 2^−15, and a step has one masked position more than the row of the whole sequence.
  if (row.family !== 'shift') checks.push([row.stepsEqual, 'a step gives other logits than the whole sequence'])
  if (row.family === 'default')
    checks.push(
      [
        row.greedyEqual >= greedyEqual,
        `${row.greedyEqual} of the first ${row.compared} greedy tokens are the published ones, ${greedyEqual} are wanted`,
      ],
      [
        row.ownTextNll <= ownText,
        `the float network finds ${row.ownTextNll} nats per token in its text, at most ${ownText}`,
      ],
    )
  return checks.filter(([holds]) => !holds).map(([, message]) => `${row.network} (${row.family}): ${message}`)
}
