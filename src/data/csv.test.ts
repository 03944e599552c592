import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { readCsv } from './csv.ts'

const read = (text: string) => readCsv(new TextEncoder().encode(text), 'x.csv')

describe('readCsv', () => {
  it('reads quotes, commas, line ends and both newline forms', () => {
    const { columns, rows } = read('file,label\r\n"a, ""b"".jpg",1\n"two\nlines",2\r\n,3')
    expect(columns).toEqual(['file', 'label'])
    expect(rows).toEqual([
      { fields: ['a, "b".jpg', '1'], line: 2 },
      { fields: ['two\nlines', '2'], line: 3 },
      { fields: ['', '3'], line: 5 },
    ])
  })

  it('drops a byte order mark', () => {
    expect(readCsv(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0x0a), 'x').columns).toEqual(['a'])
  })

  it.each([
    ['nothing', '', /empty/],
    ['a missing field', 'a,b\n1\n', /line 2 has 1 fields, the header has 2/],
    ['a field too many', 'a,b\n1,2\n1,2,3\n', /line 3/],
    ['an open quote', 'a\n"1\n2', /begins in line 2 has no end/],
    ['a stray quote', 'a\n1"2\n', /quote inside/],
    ['text after a quote', 'a\n"1"2\n', /after the end of a field/],
    ['a lone carriage return', 'a\r1\r', /after the end/],
    ['a column twice', 'a,a\n', /two columns are called "a"/],
  ])('refuses %s', (_, text, message) => {
    expect(() => read(text)).toThrow(message)
    expect(() => read(text)).toThrow(DyadicError)
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(() => readCsv(Uint8Array.of(0x61, 0xff), 'x')).toThrow(/not UTF-8/)
  })
})
