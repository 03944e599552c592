/** The command line of examples/vision-transformer: what it takes, and what it says to the rest. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readModel, readOptions } from '../../examples/vision-transformer/options.mjs'

describe('npm run vision', () => {
  it('has defaults for everything', () => {
    expect(readOptions([])).toMatchObject({ count: 200, page: false, port: 8080, help: false })
    expect(readOptions(['--count', '7', '--model', 'a.onnx'])).toMatchObject({ count: 7, model: 'a.onnx' })
  })

  it.each(['0', '-1', '1.5', 'all', ''])('refuses --count=%s', (count) => {
    expect(() => readOptions([`--count=${count}`])).toThrow(
      new RangeError(`--count is ${count}; give a whole number from 1`),
    )
  })

  it('refuses words that it does not know', () => {
    expect(() => readOptions(['--batch', '1'])).toThrow(/'--batch'/)
  })

  it('says where a missing network comes from', () => {
    const file = join(tmpdir(), 'no network here.onnx')
    expect(() => readModel(file)).toThrow(
      /here\.onnx is missing\. The network is not part .* examples\/vision-transformer\/README\.md/,
    )
  })
})
