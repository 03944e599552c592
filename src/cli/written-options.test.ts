import { expect, it } from 'vitest'
import { writtenOptions } from './written-options.ts'

it('writes options as they stand on the command line, files by their names alone', () => {
  const options = {
    ...{ weights: 's4', symmetric: true, maxBytes: 500000, method: ['gptq', 'adaround'], json: true, report: 'r.html' },
    ...{ keep: [{ pattern: '@first', format: 's16' }], axis: { n: 4 }, bind: { sr: [16000, 1] }, group: undefined },
    ...{ calibrate: '/home/somebody/data/samples/', limit: 4 },
  }
  expect(writtenOptions(options, ['limit'])).toEqual([
    ['--weights', 's4'],
    ['--symmetric', ''],
    ['--max-bytes', '500000'],
    ['--method', 'gptq,adaround'],
    ['--keep', '@first:s16'],
    ['--axis', 'n=4'],
    ['--bind', 'sr=16000,1'],
    ['--calibrate', 'samples'],
  ])
})
