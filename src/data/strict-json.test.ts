import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseStrictJson } from './strict-json.ts'

const parse = (text: string): unknown => parseStrictJson(new TextEncoder().encode(text), 'the file')

describe('parseStrictJson', () => {
  it('gives what JSON.parse gives', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.nat(2), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        expect(parse(text)).toEqual(JSON.parse(text))
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    ['{"a":1,"b":{"a":2},"c":[{"a":1},{"a":1}]}'],
    ['{"a":["b","a","{","}",","],"b":"\\"a\\":"}'],
    ['{"a":"b","b":"a"}'],
    [`${'['.repeat(64)}${']'.repeat(64)}`],
    ['"[[{"'],
  ])('takes %s', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text))
  })

  it.each([
    ['{"a":1,"a":1}', 'the file: the key "a" stands twice'],
    ['{"a":1,"\\u0061":1}', 'the key "a" stands twice'],
    ['[{"x":{"k":[],"l":{},"k":0}}]', 'the key "k" stands twice'],
    [`${'['.repeat(65)}${']'.repeat(65)}`, 'nested deeper than 64 levels'],
    ['['.repeat(100_000), 'nested deeper'],
    ['[1e309]', 'the number "1e309" is beyond'],
    ['{"a":-1e999}', 'the number "-1e999" is beyond'],
    ['{"a":1', 'the file is not JSON in UTF-8'],
    ['\ufeff1', 'is not JSON'],
    ['', 'is not JSON'],
  ])('refuses %s', (text, message) => {
    expect(() => parse(text)).toThrow(message)
  })
})
