import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { addOptions, type OptionName } from './options.ts'

function parse(names: readonly OptionName[], parameters: readonly string[]): Record<string, unknown> {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} })
  addOptions(command, names)
  return command.parse(parameters, { from: 'user' }).opts()
}

describe('options', () => {
  it.each<[OptionName, string[], unknown]>([
    ['maxBytes', ['--max-bytes', '500000'], 500_000],
    ['maxBytes', ['--max-bytes', '500KB'], 500_000],
    ['maxBytes', ['--max-bytes', '64KiB'], 65_536],
    ['maxMemory', ['--max-memory', '1.5MB'], 1_500_000],
    ['maxLoss', ['--max-loss', '0.5%'], 0.005],
    ['maxLoss', ['--max-loss', '0%'], 0],
    ['axis', ['--axis', 'h=2', '--axis', 'a=b=3'], { h: 2, 'a=b': 3 }],
    ['bind', ['--bind', 'sr=16000', '--bind', 'a=b=-0.5,1e3'], { sr: [16000], 'a=b': [-0.5, 1000] }],
    ['input', ['--input', 'a=1.npy', '--input', 'b=2.npy'], ['a=1.npy', 'b=2.npy']],
    ['range', ['--range', 'percentile:99.99'], 'percentile:99.99'],
    ['range', ['--range', 'mse'], 'mse'],
    ['range', ['--range', 'entropy'], 'entropy'],
    ['method', ['--method', 'none'], []],
    ['method', ['--method', 'bias-correction'], ['bias-correction']],
    ['method', ['--method', 'weights-mse,gptq'], ['weights-mse', 'gptq']],
    ['method', [], undefined],
    [
      'keep',
      ['--keep', '@first:w8,@last:w8', '--keep', 'a{1,2}:s16'],
      [
        { pattern: '@first', format: 'w8' },
        { pattern: '@last', format: 'w8' },
        { pattern: 'a{1,2}', format: 's16' },
      ],
    ],
    ['group', ['--group', '64'], 64],
    ['nonlinear', ['--nonlinear', 'poly'], 'poly'],
    [
      'state',
      ['--state', 'h=hN', '--state', 'c=cN'],
      [
        { input: 'h', output: 'hN' },
        { input: 'c', output: 'cN' },
      ],
    ],
    ['granularity', [], 'tensor'],
    ['emit', ['--emit', 'integer-graph,plan,plan'], ['integer-graph', 'plan']],
    ['out', ['-o', 'x'], 'x'],
    ['activations', [], 'auto'],
    ['weights', [], 's8'],
    ['range', [], 'mse'],
    ['batch', [], 1],
    ['samples', [], undefined],
  ])('%s of %j is %j', (name, parameters, value) => {
    expect(parse([name], parameters)[name]).toEqual(value)
  })

  it.each<[OptionName, string[]]>([
    ['maxBytes', ['--max-bytes', '0']],
    ['maxBytes', ['--max-bytes', '5kb']],
    ['maxBytes', ['--max-bytes', '-5']],
    ['maxLoss', ['--max-loss', '101%']],
    ['maxLoss', ['--max-loss', '0.005']],
    ['axis', ['--axis', 'h']],
    ['axis', ['--axis', 'h=0']],
    ['nonlinear', ['--nonlinear', 'magic']],
    ['state', ['--state', 'h']],
    ['state', ['--state', 'h=']],
    ['bind', ['--bind', 'sr']],
    ['bind', ['--bind', 'sr=']],
    ['bind', ['--bind', 'sr=0x10']],
    ['bind', ['--bind', 'sr=1,,2']],
    ['samples', ['--samples', '1e3']],
    ['samples', ['--samples', '3000000000']],
    ['range', ['--range', 'percentile:50']],
    ['range', ['--range', 'kl']],
    ['range', ['--range', 'mse:2']],
    ['method', ['--method', '']],
    ['method', ['--method', 'equalise']],
    ['method', ['--method', 'none,bias-correction']],
    ['keep', ['--keep', '@first']],
    ['keep', ['--keep', '@first:w9']],
    ['keep', ['--keep', ':w8']],
    ['group', ['--group', '48']],
    ['method', ['--method', 'bias-correction,bias-correction']],
    ['emit', ['--emit', '']],
    ['weights', ['--weights', 'float']],
  ])('%s refuses %j', (name, parameters) => {
    expect(() => parse([name], parameters)).toThrow()
  })
})
