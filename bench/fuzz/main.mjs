/**
 * The fuzzer: `node bench/fuzz/main.mjs [--minutes N] [--seed N] [--from N] [--out FOLDER]` changes models for the reader and
 * the compiler (`changed-models.mjs`); with `--against onnxruntime-web` it compares random networks with that runtime
 * (`against.mjs`). `--from` is the first case, or the first batch of networks. Exit code 1 when there was a finding.
 */
import { readCommandLine } from '../command-line.mjs'
import { fuzzAgainst } from './against.mjs'
import { fuzzReader } from './changed-models.mjs'

const { values: options } = readCommandLine(import.meta.url, {
  options: {
    against: { type: 'string' },
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    out: { type: 'string', default: 'fuzz-findings' },
  },
})
const [seed, minutes, from] = [options.seed, options.minutes, options.from].map(Number)
if (!Number.isSafeInteger(seed) || !(minutes > 0)) throw new Error('--seed takes an integer, --minutes a number')
if (![undefined, 'onnxruntime-web'].includes(options.against)) throw new Error('--against takes onnxruntime-web')
process.stdout.write(`seed ${seed}, ${minutes} minutes, node ${process.version}\n`)
const fuzz = options.against === undefined ? fuzzReader : fuzzAgainst
process.exitCode = (await fuzz({ seed, minutes, from, out: options.out })) > 0 ? 1 : 0
