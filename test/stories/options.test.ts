/** The command line of examples/stories: what it takes, and what it says to the rest. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readModel, readOptions } from '../../examples/stories/options.mjs'

describe('npm run stories', () => {
  it('has defaults for everything', () => {
    expect(readOptions([])).toMatchObject({ prompt: '', length: 256, page: false, port: 8080, help: false })
    const words = ['--prompt', 'One day', '--length', '512', '--page', '--port', '0']
    expect(readOptions(words)).toMatchObject({ prompt: 'One day', length: 512, page: true, port: 0 })
  })

  it.each([
    [['--length', '1'], '--length is 1; give a whole number from 2 to 512, the context of the model'],
    [['--length', '513'], '--length is 513; give a whole number from 2 to 512, the context of the model'],
    [['--length', 'long'], '--length is long; give a whole number from 2 to 512, the context of the model'],
    [['--port', '70000'], '--port is "70000"; give a whole number from 0 to 65535'],
    [['--port', ''], '--port is ""; give a whole number from 0 to 65535'],
  ])('refuses %j', (words, message) => {
    expect(() => readOptions(words)).toThrow(new RangeError(message))
  })

  it('refuses words that it does not know', () => {
    expect(() => readOptions(['--temperature', '1'])).toThrow(/'--temperature'/)
  })

  it('says where a missing model comes from', () => {
    const folder = join(tmpdir(), 'no stories here')
    expect(() => readModel(folder)).toThrow(
      /stories260K\.bin is missing\. The model is not part .* examples\/stories\/README\.md/,
    )
  })
})
