/**
 * Shaders above the plain level are tested by value before they are used: a small product whose answer the program holds.
 * Where one does not compile on this device or gives other integers, its family falls to the next level.
 */
import { GpuError, guarded } from './failure.ts'
import type { GpuLevel, GpuProbe, GpuProgram, GpuShader } from './program.ts'
import { checkBuffers, compileAhead, createSession, shadersOf } from './session.ts'
import type { GpuTiles } from './tiles.ts'

/** A shader that is not used on this device, and why: it did not compile, or it computed other integers. */
export interface RefusedShader {
  readonly name: string
  readonly level: GpuLevel
  readonly reason: string
}

const MAP_READ = 1
const COPY_TARGET = 0x08
/** The words that follow a fault: enough to name it. */
const MOST_REASON = 300

/** Why a shader is not to be used, by device and shader text; undefined where it is right. */
const VERDICTS = new WeakMap<GPUDevice, Map<string, Promise<string | undefined>>>()

async function answerOf(
  device: GPUDevice,
  { header, constants }: GpuProgram,
  probe: GpuProbe,
  shader: GpuShader,
): Promise<Uint8Array> {
  const { at, bytes } = probe.constants
  const others = header.shaders.filter(
    ({ level, families }) => level === 'plain' && !families.some((family) => shader.families.includes(family)),
  )
  const program = {
    header: {
      ...header,
      shaders: [shader, ...others],
      dispatches: probe.dispatches,
      initial: probe.initial,
      arenaBytes: probe.arenaBytes,
    },
    constants: constants.subarray(at, at + bytes),
  }
  const session = await createSession(device, program, 1, [shader.level, 'plain'])
  const readback = device.createBuffer({ size: probe.output.bytes, usage: MAP_READ | COPY_TARGET })
  try {
    return await guarded(device, 'run a self-test', async () => {
      const encoder = device.createCommandEncoder()
      const pass = encoder.beginComputePass()
      session.encode(pass)
      pass.end()
      encoder.copyBufferToBuffer(session.arena, probe.output.offset, readback, 0, probe.output.bytes)
      device.queue.submit([encoder.finish()])
      await readback.mapAsync(MAP_READ)
      return new Uint8Array(readback.getMappedRange()).slice()
    })
  } finally {
    readback.destroy()
    session.destroy()
  }
}

async function judge(device: GPUDevice, program: GpuProgram, shader: GpuShader): Promise<string | undefined> {
  const probe = program.header.probes.find(({ family }) => shader.families.includes(family))
  if (probe === undefined) return 'there is no answer to test it by'
  const { at } = probe.constants
  const { constants, bytes } = probe.output
  const expected = program.constants.subarray(at + constants, at + constants + bytes)
  try {
    const found = await answerOf(device, program, probe, shader)
    const wrong = expected.reduce((count, byte, i) => count + (byte === found[i] ? 0 : 1), 0)
    return wrong === 0 ? undefined : `${wrong} of ${bytes} integers of its self-test are wrong`
  } catch (cause) {
    if (cause instanceof GpuError) return cause.message.slice(0, MOST_REASON)
    throw cause
  }
}

/** The program without what failed, and why. Each shader is tested once per device. Throws `limit`. */
export async function testedProgram(
  device: GPUDevice,
  program: GpuProgram,
  batch: number,
  levels: readonly GpuLevel[],
  tiles?: GpuTiles,
): Promise<{ readonly program: GpuProgram; readonly refused: readonly RefusedShader[] }> {
  const verdicts = VERDICTS.get(device) ?? new Map<string, Promise<string | undefined>>()
  VERDICTS.set(device, verdicts)
  const refused: RefusedShader[] = []
  const failed: GpuShader[] = []
  let tested = program
  checkBuffers(device, program, batch)
  compileAhead(device, program, batch, levels, tiles)
  for (;;) {
    const before = refused.length
    const chosen = [...new Set(shadersOf(device, tested.header, batch, levels, tiles))].filter(
      ({ level }) => level !== 'plain',
    )
    // Side by side, because compiling takes most of the time.
    const reasons = await Promise.all(
      chosen.map((shader) => {
        const verdict = verdicts.get(shader.code) ?? judge(device, program, shader)
        verdicts.set(shader.code, verdict)
        return verdict
      }),
    )
    for (const [i, { name, level }] of chosen.entries()) {
      const reason = reasons[i]
      if (reason === undefined) continue
      failed.push(chosen[i])
      refused.push({ name, level, reason })
    }
    if (refused.length === before) return { program: tested, refused }
    const shaders = tested.header.shaders.filter(
      ({ level, families }) =>
        !failed.some((one) => one.level === level && one.families.some((family) => families.includes(family))),
    )
    tested = { ...tested, header: { ...tested.header, shaders } }
  }
}
