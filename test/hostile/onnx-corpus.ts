/** The corpus of ONNX files, and how it is put into a folder: one folder per case, with a manifest beside them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { attributeCases } from './attribute-cases.ts'
import { controlCases } from './control-cases.ts'
import { externalCases } from './external-cases.ts'
import { functionCases } from './function-cases.ts'
import { graphCases, versionCases } from './graph-cases.ts'
import type { HostileCase } from './hostile-case.ts'
import { nameCases } from './name-cases.ts'
import { shapeCases } from './shape-cases.ts'
import { quantisationCases, tensorCases } from './tensor-cases.ts'
import { polyglotCases, wireCases } from './wire-cases.ts'

export const onnxCorpus: readonly HostileCase[] = [
  ...wireCases,
  ...polyglotCases,
  ...nameCases,
  ...graphCases,
  ...versionCases,
  ...functionCases,
  ...attributeCases,
  ...shapeCases,
  ...tensorCases,
  ...quantisationCases,
  ...externalCases,
  ...controlCases,
]

/** A case as the manifest lists it. */
export interface ListedCase extends Pick<HostileCase, 'group' | 'wrong' | 'expected' | 'words' | 'result'> {
  /** Path of the model, relative to the folder of the manifest. */
  readonly file: string
}

/** Writes all cases and `manifest.json` below `folder`, and returns what the manifest lists. */
export function writeCorpus(cases: readonly HostileCase[], folder: string): ListedCase[] {
  const listed = cases.map(({ name, bytes, place, ...rest }, index): ListedCase => {
    const own = join(`${String(index).padStart(3, '0')}-${rest.group}-${name.replace(/[^A-Za-z0-9_.-]/g, '_')}`)
    const inside = join(folder, own, 'model')
    mkdirSync(inside, { recursive: true })
    writeFileSync(join(inside, 'model.onnx'), bytes())
    place?.(inside, join(folder, own))
    return { file: `${own}/model/model.onnx`, ...rest }
  })
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(listed, null, 1)}\n`)
  return listed
}
