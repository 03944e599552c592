/** `dyadic export`: the network with its integers as an ONNX file for other runtimes, or as a C header. */
import { basename } from 'node:path'
import { DyadicError, quoted } from '../../error.ts'
import { exportHeader } from '../../export/export-c.ts'
import { exportOnnx } from '../../index.ts'
import { lower } from '../../lower/lower.ts'
import { VERSION } from '../../version.ts'
import type { CommandDescription } from '../command.ts'
import { counted, fields } from '../format.ts'
import { about, openCompilable, SHAPE_OPTIONS, sha256 } from '../model-file.ts'
import { CALIBRATION_OPTIONS, choosePlan, readPlan } from '../plan-source.ts'
import { checkOutputs, writeFiles } from '../write-file.ts'

type Option = (typeof CALIBRATION_OPTIONS)[number] | 'plan' | 'format' | 'out' | (typeof SHAPE_OPTIONS)[number]

export const exportCommand: CommandDescription<Option> = {
  name: 'export',
  summary: 'write the quantised network as ONNX for other runtimes, or as a C header',
  description:
    'Writes the integers of a plan in a form that others read: qdq is ONNX with QuantizeLinear and DequantizeLinear, qoperator ' +
    'ONNX with QLinearConv and the like, qonnx ONNX with Quant nodes of QONNX, c a header with weights, biases, multipliers and ' +
    'shifts. The numbers come from --calibrate, from --plan, or from the file itself when it is quantised (QDQ).',
  argument: ['model.onnx', 'the network'],
  options: [...CALIBRATION_OPTIONS, 'plan', 'format', 'out', ...SHAPE_OPTIONS],
  meanings: {
    out: "the file (default: the model's name with .qdq.onnx, .qoperator.onnx, .qonnx.onnx or .h, in this folder)",
  },
  examples: [
    'export model.onnx --plan plan.json -o model.qdq.onnx',
    'export model.onnx --calibrate samples/ --format c -o model.h',
  ],
  async run({ argument: path, options, isGiven, session }) {
    if (options.plan !== undefined)
      for (const name of CALIBRATION_OPTIONS)
        if (isGiven(name)) throw new DyadicError('usage', `--plan has all the numbers; --${name} would change nothing`)
    const format = options.format ?? 'qdq'
    const stem = basename(path).replace(/\.onnx$/i, '')
    const out = options.out ?? (format === 'c' ? `${stem}.h` : `${stem}.${format}.onnx`)
    await checkOutputs(
      [out],
      [path, options.plan, options.calibrate].filter((input) => input !== undefined),
    )
    const model = await openCompilable(path, options)
    const plan =
      options.plan === undefined
        ? await choosePlan(path, model, options, session, ' or --plan <file>')
        : await readPlan(options.plan)
    const content = await session.blocking('export', () =>
      about(path, () =>
        format === 'c'
          ? new TextEncoder().encode(
              exportHeader(lower(model.prepared.compiled, plan), { version: VERSION, name: stem }),
            )
          : exportOnnx(model.graph, plan, { format }),
      ),
    )
    await writeFiles([{ path: out, content }], session.signal)
    const hash = sha256(content)
    return {
      json: { model: path, out, format, bytes: content.length, sha256: hash },
      text:
        `${quoted(out)}: ${counted(content.length, 'byte')}\n` +
        fields([
          ['format', format],
          ['SHA-256', hash],
        ]),
    }
  },
}
