/** External data: names that lead elsewhere, files that are none, ranges that are not there. */
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { accepted, group, refused } from './hostile-case.ts'
import { file, honestGraph, honestResult, type TensorInput } from './sketch.ts'

type Entries = Readonly<Record<string, string>>

/** The honest network with its w outside. */
const outside =
  (entries: Entries, more: TensorInput = {}) =>
  () =>
    file({
      ...honestGraph,
      initializer: [
        {
          name: 'w',
          dataType: 1,
          dims: [4n],
          dataLocation: 1,
          externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
          ...more,
        },
      ],
    })

const data = new Uint8Array(Float32Array.of(1, -2, 3, -4).buffer)
const place =
  (name: string, bytes = data) =>
  (folder: string) =>
    writeFileSync(join(folder, name), bytes)

/** Names that must be refused by themselves, with a file outside to be found where they lead. */
const LEADING: readonly (readonly [string, string])[] = [
  ['parent', '../secret.bin'],
  ['nested-parent', 'a/../../secret.bin'],
  ['parent-inside', 'a/../w.bin'],
  ['absolute', '/etc/passwd'],
  ['device', '/dev/zero'],
  ['proc', '/proc/self/environ'],
  ['backslash', '..\\secret.bin'],
  ['drive', 'C:\\secret.bin'],
  ['drive-relative', 'C:secret.bin'],
  ['share', '\\\\host\\share\\secret.bin'],
  ['double-slash', '//etc/passwd'],
  ['nul', 'w.bin\u0000../secret.bin'],
  ['escape', '\u001b[2Jw.bin'],
  ['empty', ''],
  ['dot', '.'],
  ['dots', './././'],
  ['inner-empty', 'a//w.bin'],
  ['long', 'a/'.repeat(3000)],
]

/** Offsets and lengths of a file of 16 bytes, that are not there or no numbers. */
const RANGES: readonly (readonly [string, Entries])[] = [
  ['offset-beyond', { offset: '4096', length: '16' }],
  ['offset-one', { offset: '1', length: '16' }],
  ['offset-negative', { offset: '-16', length: '16' }],
  ['offset-huge', { offset: '9007199254740991' }],
  ['offset-int64', { offset: '9223372036854775807' }],
  ['offset-wrap', { offset: '18446744073709551600' }],
  ['offset-text', { offset: 'zero' }],
  ['offset-hex', { offset: '0x0' }],
  ['offset-float', { offset: '0.0' }],
  ['offset-space', { offset: ' 0' }],
  ['offset-empty', { offset: '' }],
  ['length-short', { length: '15' }],
  ['length-long', { length: '17' }],
  ['length-huge', { length: '9007199254740991' }],
  ['length-int64', { length: '9223372036854775807' }],
  ['length-negative', { length: '-1' }],
  ['length-zero', { length: '0' }],
  ['length-text', { length: '1e2' }],
]

export const externalCases = group('external', [
  ...LEADING.map(([name, location]) =>
    refused(
      `path-${name}`,
      `a location of ${JSON.stringify(location.slice(0, 40))}`,
      ['external data', '"w"'],
      outside({ location }),
      {
        place: (folder, beside) => {
          place('w.bin')(folder)
          mkdirSync(join(folder, 'a'))
          writeFileSync(join(beside, 'secret.bin'), data)
        },
      },
    ),
  ),
  ...RANGES.map(([name, entries]) =>
    refused(
      `range-${name}`,
      `entries ${JSON.stringify(entries)} for a file of 16 bytes`,
      ['byte', 'offset', 'length'],
      outside({ location: 'w.bin', ...entries }),
      { place: place('w.bin') },
    ),
  ),
  refused('absent', 'a file that is not there', 'not exist', outside({ location: 'w.bin' })),
  refused('short', 'a file of 15 bytes', 'bytes', outside({ location: 'w.bin' }), {
    place: place('w.bin', data.subarray(1)),
  }),
  refused('file-empty', 'an empty file', 'bytes', outside({ location: 'w.bin' }), {
    place: place('w.bin', new Uint8Array(0)),
  }),
  refused('no-location', 'no location', ['external data', 'names no file'], outside({ offset: '0' })),
  refused(
    'unknown-key',
    'an entry that ONNX does not define',
    '__proto__',
    outside({ location: 'w.bin', ...JSON.parse('{"__proto__": "x"}') }),
    { place: place('w.bin') },
  ),
  refused(
    'key-attribute',
    'an entry named as a field of the tensor',
    'raw_data',
    outside({ location: 'w.bin', raw_data: 'x' }),
    { place: place('w.bin') },
  ),
  refused(
    'both',
    'external data beside raw data',
    ['"w"', 'as well'],
    outside({ location: 'w.bin' }, { rawData: data }),
    { place: place('w.bin') },
  ),
  refused(
    'both-typed',
    'external data beside typed data',
    ['"w"', 'as well'],
    outside({ location: 'w.bin' }, { floatData: [1, 2, 3, 4] }),
    { place: place('w.bin') },
  ),
  refused(
    'not-external',
    'entries on a tensor that is in the file',
    '"w"',
    outside({ location: 'w.bin' }, { dataLocation: 0, rawData: data }),
    { place: place('w.bin') },
  ),
  refused('location-two', 'data location 2', 'data location', outside({ location: 'w.bin' }, { dataLocation: 2 })),
  refused(
    'elements',
    'external data of 2^40 elements',
    'elements',
    outside({ location: 'w.bin' }, { dims: [2n ** 40n] }),
    { place: place('w.bin') },
  ),
  refused(
    'large',
    'external data of 2^30 elements in a file of 16 bytes',
    'bytes',
    outside({ location: 'w.bin' }, { dims: [2n ** 30n] }),
    { place: place('w.bin') },
  ),
  refused('nan', 'external data that holds NaN', 'NaN', outside({ location: 'w.bin' }), {
    place: place('w.bin', new Uint8Array(Float32Array.of(1, Number.NaN, 1, 1).buffer)),
  }),
  refused('folder', 'a folder', 'folder', outside({ location: 'w.bin' }), {
    place: (folder) => mkdirSync(join(folder, 'w.bin')),
  }),
  refused('fifo', 'a FIFO that nobody writes', 'regular', outside({ location: 'w.bin' }), {
    place: (folder) => void execFileSync('mkfifo', [join(folder, 'w.bin')]),
  }),
  refused('link', 'a symbolic link to a file beside it', 'link', outside({ location: 'w.bin' }), {
    place: (folder) => {
      place('real.bin')(folder)
      symlinkSync('real.bin', join(folder, 'w.bin'))
    },
  }),
  refused('link-outside', 'a symbolic link to a file outside', 'link', outside({ location: 'w.bin' }), {
    place: (folder, beside) => {
      writeFileSync(join(beside, 'secret.bin'), data)
      symlinkSync(join(beside, 'secret.bin'), join(folder, 'w.bin'))
    },
  }),
  refused('link-device', 'a symbolic link to a device', 'link', outside({ location: 'w.bin' }), {
    place: (folder) => symlinkSync('/dev/zero', join(folder, 'w.bin')),
  }),
  refused('link-folder', 'a symbolic link to a folder on the way', 'link', outside({ location: 'a/w.bin' }), {
    place: (folder, beside) => {
      writeFileSync(join(beside, 'w.bin'), data)
      symlinkSync(beside, join(folder, 'a'))
    },
  }),
  refused('link-circle', 'a symbolic link to itself', 'link', outside({ location: 'w.bin' }), {
    place: (folder) => symlinkSync('w.bin', join(folder, 'w.bin')),
  }),
  refused('link-dangling', 'a symbolic link to nothing', ['link', 'not exist'], outside({ location: 'w.bin' }), {
    place: (folder) => symlinkSync('nothing', join(folder, 'w.bin')),
  }),
  refused('hard-link', 'a hard link to a file outside', 'hard link', outside({ location: 'w.bin' }), {
    place: (folder, beside) => {
      writeFileSync(join(beside, 'secret.bin'), data)
      linkSync(join(beside, 'secret.bin'), join(folder, 'w.bin'))
    },
  }),
  refused('below-file', 'a file below a file', ['folder', 'not exist'], outside({ location: 'w.bin/x' }), {
    place: place('w.bin'),
  }),
  accepted('plain', 'a file beside the model', outside({ location: 'w.bin' }), honestResult, { place: place('w.bin') }),
  accepted('range', 'a range within a file', outside({ location: 'w.bin', offset: '8', length: '16' }), honestResult, {
    place: place('w.bin', Uint8Array.from([...new Uint8Array(8), ...data, 9, 9])),
  }),
  accepted(
    'inner-folder',
    'a file in a folder beside the model',
    outside({ location: './a/w.bin', checksum: 'x' }),
    honestResult,
    {
      place: (folder) => {
        mkdirSync(join(folder, 'a'))
        writeFileSync(join(folder, 'a', 'w.bin'), data)
      },
    },
  ),
  accepted(
    'strange-name',
    'a file name with a space and a colon',
    outside({ location: 'the w: 1.bin' }),
    honestResult,
    { place: place('the w: 1.bin') },
  ),
])
