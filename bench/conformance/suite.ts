/**
 * The ONNX node suite as data: one case is a model and data sets of inputs and expected outputs, as the files of the
 * archive hold them. Source: onnx/onnx, `onnx/backend/test/data/node`.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { readTar } from '../../src/data/tar.ts'

/** Protobuf bytes of the values of one data set, in the order of the model's inputs and outputs. */
export interface DataSet {
  readonly inputs: readonly Uint8Array[]
  readonly outputs: readonly Uint8Array[]
}

export interface SuiteCase {
  readonly name: string
  readonly model: Uint8Array
  readonly dataSets: readonly DataSet[]
}

/** The cases of an archive of the suite (`.tar` or `.tar.gz`) by name. Throws where the archive is not one. */
export function readSuite(path: string): SuiteCase[] {
  const stored = readFileSync(path)
  const files = readTar(new Uint8Array(path.endsWith('.gz') ? gunzipSync(stored) : stored), path)
  const names = [...files.keys()].filter((name) => name.endsWith('/model.onnx')).sort()
  return names.map((modelName) => {
    const folder = modelName.slice(0, -'model.onnx'.length)
    const sets: DataSet[] = []
    for (let set = 0; ; set++) {
      const values = (role: string): Uint8Array[] => {
        const list: Uint8Array[] = []
        for (;;) {
          const file = files.get(`${folder}test_data_set_${set}/${role}_${list.length}.pb`)
          if (file === undefined) return list
          list.push(file)
        }
      }
      const outputs = values('output')
      if (outputs.length === 0) break
      sets.push({ inputs: values('input'), outputs })
    }
    return {
      name: (folder.split('/').at(-2) as string).replace(/^test_/, ''),
      model: files.get(modelName) as Uint8Array,
      dataSets: sets,
    }
  })
}
