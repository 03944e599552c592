/**
 * What a model must be made of to be read at all: format and operator-set versions in range, dense initializers.
 */
import { DyadicError, quoted } from '../error.ts'
import { isDefaultDomain } from './check-operators.ts'
import type { Message } from './schema.ts'

/** Versions of the default operator set that are read. */
export const OPSET_RANGE: readonly [number, number] = [7, 28]
/** Versions of the file format (`ir_version`) that are read: 3 is that of opset 7, 14 the newest this was written for. */
export const IR_RANGE: readonly [number, number] = [3, 14]

/**
 * The version of the default operator set. Throws `unsupported` for versions out of range, `refused` where they are
 * missing or contradict each other.
 */
export function checkVersions(model: Message<'ModelProto'>): number {
  const { irVersion } = model
  if (irVersion === undefined) throw new DyadicError('refused', 'the model gives no ir_version; is the file damaged?')
  if (irVersion < IR_RANGE[0] || irVersion > IR_RANGE[1])
    throw new DyadicError(
      'unsupported',
      `the model has ir_version ${irVersion}; versions ${IR_RANGE.join(' to ')} are read`,
    )
  const versions = importedVersions(model.opsetImport, 'the model')
  const opset = versions.get('ai.onnx')
  if (opset === undefined) {
    const others = [...versions].map(([domain, version]) => `${quoted(domain)} version ${version}`)
    throw new DyadicError(
      others.length === 0 ? 'refused' : 'unsupported',
      'the model imports no version of the default operator set "ai.onnx"' +
        (others.length === 0 ? '' : `, only ${others.slice(0, 10).join(', ')}`),
    )
  }
  if (opset < OPSET_RANGE[0] || opset > OPSET_RANGE[1])
    throw new DyadicError(
      'unsupported',
      `the model uses version ${opset} of operator set "ai.onnx"; versions ${OPSET_RANGE.join(' to ')} are read: ` +
        'export it with another opset_version, or convert it with onnx.version_converter',
    )
  return Number(opset)
}

/** Versions of operator sets by domain, the default one as `ai.onnx`. Throws `refused` where `who` contradicts itself. */
export function importedVersions(imports: Message<'ModelProto'>['opsetImport'], who: string): Map<string, bigint> {
  const versions = new Map<string, bigint>()
  for (const { domain, version } of imports) {
    const name = isDefaultDomain(domain) ? 'ai.onnx' : (domain as string)
    const known = versions.get(name)
    if (version === undefined || (known !== undefined && known !== version))
      throw new DyadicError(
        'refused',
        `${who} imports operator set ${quoted(name)} ${version === undefined ? 'without a version' : `in versions ${known} and ${version}`}`,
      )
    versions.set(name, version)
  }
  return versions
}

/** Throws `unsupported` for sparse initializers, naming the first. */
export function refuseSparse(graph: Message<'GraphProto'>): void {
  if (graph.sparseInitializer.length > 0)
    throw new DyadicError(
      'unsupported',
      `the model has ${graph.sparseInitializer.length} sparse initializers ` +
        `(first: ${quoted(graph.sparseInitializer[0].values?.name ?? '')}); store them dense`,
    )
}
