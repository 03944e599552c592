/** The command line of examples/voice-activity: what it takes, and what it says to the rest. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readInput, readOptions } from '../../examples/voice-activity/options.mjs'

describe('npm run voice', () => {
  it('has defaults for everything', () => {
    expect(readOptions([])).toMatchObject({ page: false, port: 8080, help: false })
    expect(readOptions(['--wav', 'a.wav', '--port', '0'])).toMatchObject({ wav: 'a.wav', port: 0 })
  })

  it.each(['-1', '1.5', '70000', ''])('refuses --port=%s', (port) => {
    expect(() => readOptions([`--port=${port}`])).toThrow(
      new RangeError(`--port is "${port}"; give a whole number from 0 to 65535`),
    )
  })

  it('refuses words that it does not know', () => {
    expect(() => readOptions(['--rate', '8000'])).toThrow(/'--rate'/)
  })

  it('says where a missing file comes from, and what names another', () => {
    const file = join(tmpdir(), 'no network here.onnx')
    expect(() => readInput(file, '--model')).toThrow(
      /here\.onnx is missing\. .* examples\/voice-activity\/README\.md .* with --model$/,
    )
  })
})
