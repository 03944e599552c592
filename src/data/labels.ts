/**
 * The labels of a data set: where a card takes them from, and what a label may be. A wrong label file is refused when
 * the set is opened, with one message that names the file and the first sample or line that is wrong.
 */
import { z } from 'zod'
import { DyadicError, quoted } from '../error.ts'
import { type CsvRow, readCsv } from './csv.ts'
import type { DataSet, FileAccess } from './data-set.ts'
import { joinPath } from './file-path.ts'
import { readIdx } from './idx.ts'
import { readNpy } from './npy.ts'
import { compareCodePoints } from './order.ts'
import type { SampleSource } from './sample-kind.ts'

const file = z.string().min(1)
const common = {
  offset: z.int().optional().describe('added to every label, to make it an index of the network output; 0 if absent'),
  classes: z.int().min(1).optional().describe('number of network outputs; every label after the offset lies below'),
}

/** The card's `labels` part. */
export const labelsSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('csv'),
    file,
    fileColumn: z.string().optional().describe('column of file names, for samples that have names; "file" if absent'),
    labelColumn: z.string().optional().describe('column of integer labels; "label" if absent'),
    ...common,
  }),
  z.strictObject({ kind: z.literal('idx'), file, ...common }),
  z.strictObject({ kind: z.literal('npy'), file, ...common }),
  z.strictObject({ kind: z.literal('inline'), ...common }).describe('stored with the samples'),
  z.strictObject({ kind: z.literal('folders'), ...common }).describe('rank of the folder name by code point'),
])

type Labels = z.output<typeof labelsSchema>

/** Greatest label: it must fit an int32. */
const GREATEST_LABEL = 2 ** 31 - 1

/**
 * One label per stored sample, offset added. Without a `labels` part: the labels stored with the samples, or undefined
 * where there are none. Throws `refused` for a missing column, a wrong count, a sample without a label, a name that is
 * labelled twice, and a label that is no integer in 0..2^31 − 1 or not below `classes`.
 */
export async function readLabels(
  labels: Labels | undefined,
  source: SampleSource,
  access: { files: FileAccess; folder: string },
): Promise<Int32Array | undefined> {
  if (labels === undefined && source.storedLabel === undefined) return undefined
  const chosen = labels ?? { kind: 'inline' }
  const stored = await storedLabels(chosen, source, access)
  const { offset = 0, classes } = chosen
  const limit = classes ?? GREATEST_LABEL + 1
  return Int32Array.from(stored, (value, index) => {
    const label = value + offset
    if (!Number.isSafeInteger(value) || label < 0 || label >= limit)
      throw new DyadicError(
        'refused',
        `sample ${quoted(source.describe(index))} has label ${value}${offset === 0 ? '' : ` with offset ${offset}`}; ` +
          (classes === undefined
            ? 'labels are integers from 0'
            : `the card says ${classes} classes, 0..${classes - 1}`),
      )
    return label
  })
}

/** Throws `refused` naming the first sample whose label is not an index of `classes` network outputs. */
export function checkLabels(dataSet: DataSet, classes: number): void {
  for (let index = 0; index < dataSet.length; index++) {
    const label = dataSet.label(index)
    if (label !== undefined && label >= classes)
      throw new DyadicError(
        'refused',
        `sample ${quoted(dataSet.describe(index))} has label ${label}, the network has ${classes} outputs (0..${classes - 1}); ` +
          'is it the right label file, and is "labels.offset" right?',
      )
  }
}

/** Throws `refused` naming the first sample with an answer that is not an index of `classes` network outputs. */
export function checkAnswers(dataSet: DataSet, classes: number): void {
  for (let index = 0; index < dataSet.length; index++) {
    const wrong = dataSet.answers?.(index).find((answer) => answer >= classes)
    if (wrong !== undefined)
      throw new DyadicError(
        'refused',
        `sample ${quoted(dataSet.describe(index))} has the answer ${wrong}, the network has ${classes} outputs (0..${classes - 1}) ` +
          "at each position; were the ids made with the network's own vocabulary?",
      )
  }
}

async function storedLabels(
  labels: Labels,
  source: SampleSource,
  { files, folder }: { files: FileAccess; folder: string },
): Promise<ArrayLike<number>> {
  if (labels.kind === 'inline') {
    if (source.storedLabel === undefined)
      throw new DyadicError('refused', '"labels.kind" is "inline", but these samples carry no labels')
    return Array.from({ length: source.length }, (_, index) => source.storedLabel!(index))
  }
  if (labels.kind === 'folders') return folderLabels(source)
  const path = joinPath(folder, labels.file)
  const bytes = await files.read(path)
  if (labels.kind === 'csv') return csvLabels(bytes, labels, source, path)
  return arrayLabels(labels.kind === 'idx' ? readIdx(bytes, path) : readNpy(bytes, path), source, path)
}

function folderLabels(source: SampleSource): number[] {
  const parents = (source.names ?? []).map((name) => name.slice(0, Math.max(0, name.lastIndexOf('/'))))
  const bare = parents.indexOf('')
  if (source.names === undefined || bare >= 0)
    throw new DyadicError(
      'refused',
      source.names === undefined
        ? '"labels.kind" is "folders", but these samples have no file names'
        : `"labels.kind" is "folders", but ${quoted(source.names[bare]!)} lies in no folder`,
    )
  const rank = new Map([...new Set(parents)].sort(compareCodePoints).map((name, index) => [name, index]))
  return parents.map((name) => rank.get(name) as number)
}

function arrayLabels(
  { shape, data }: { readonly shape: readonly number[]; readonly data: ArrayLike<number | bigint> },
  source: SampleSource,
  path: string,
): ArrayLike<number> {
  if (shape.length !== 1 || data instanceof Float32Array || data instanceof Float64Array)
    throw new DyadicError(
      'refused',
      `label file ${quoted(path)} must hold integers with one axis; its shape is [${shape}]`,
    )
  requireCount(shape[0]!, source, path)
  return Array.from(data, Number)
}

function csvLabels(
  bytes: Uint8Array,
  labels: Extract<Labels, { kind: 'csv' }>,
  source: SampleSource,
  path: string,
): number[] {
  const { columns, rows } = readCsv(bytes, path)
  const column = (name: string, key: string) => {
    const at = columns.indexOf(name)
    if (at < 0)
      throw new DyadicError(
        'refused',
        `label file ${quoted(path)} has no column ${quoted(name)}, it has ${columns.slice(0, 20).map(quoted).join(', ')}${columns.length > 20 ? `, … (${columns.length})` : ''}; ` +
          `name the right one in "labels.${key}"`,
      )
    return at
  }
  const labelAt = column(labels.labelColumn ?? 'label', 'labelColumn')
  const labelOf = ({ fields, line }: CsvRow) => {
    if (!/^-?\d{1,15}$/.test(fields[labelAt]!))
      throw new DyadicError(
        'refused',
        `label file ${quoted(path)}, line ${line}: the label ${quoted(fields[labelAt]!)} is not an integer`,
      )
    return Number(fields[labelAt])
  }
  if (source.names === undefined) {
    requireCount(rows.length, source, path)
    return rows.map(labelOf)
  }
  const fileAt = column(labels.fileColumn ?? 'file', 'fileColumn')
  const byName = new Map<string, CsvRow>()
  for (const row of rows) {
    const name = row.fields[fileAt]!
    if (byName.has(name))
      throw new DyadicError(
        'refused',
        `label file ${quoted(path)}, line ${row.line}: ${quoted(name)} stands there twice`,
      )
    byName.set(name, row)
  }
  const missing = source.names.filter((name) => !byName.has(name))
  if (missing.length > 0)
    throw new DyadicError(
      'refused',
      `label file ${quoted(path)} has no row for ${missing.length} of ${source.length} samples; ` +
        `the first is ${quoted(missing[0]!)}, and the file's first row is for ${quoted(rows[0]?.fields[fileAt] ?? '')}`,
    )
  return source.names.map((name) => labelOf(byName.get(name) as CsvRow))
}

function requireCount(count: number, source: SampleSource, path: string): void {
  if (count !== source.length)
    throw new DyadicError(
      'refused',
      `label file ${quoted(path)} has ${count} labels for ${source.length} samples` +
        (count < source.length ? `; the first without one is ${quoted(source.describe(count))}` : ''),
    )
}
