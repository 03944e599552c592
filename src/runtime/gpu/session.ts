/**
 * A program on a device: buffers, pipelines and the list of dispatches for one batch. One bind group serves the whole run; a
 * dispatch differs from the next in its pipeline and in the 256 bytes of words it is given.
 */

import { MOST_ARENA_BYTES } from './check-header.ts'
import { GpuError, guarded } from './failure.ts'
import type { GpuLevel, GpuPort, GpuProgram, GpuShader } from './program.ts'
import { chooseShader, type GpuTiles, workgroupsOf } from './tiles.ts'

const STORAGE = 0x80
const UNIFORM = 0x40
const COPY_SOURCE = 0x04
const COPY_TARGET = 0x08
const COMPUTE_STAGE = 4
const WORDS_BYTES = 256

export interface GpuSession {
  readonly device: GPUDevice
  readonly arena: GPUBuffer
  readonly batch: number
  /** Shader of each dispatch, in order. */
  readonly shaders: readonly GpuShader[]
  /** Records dispatches of a run in order, all of them or those from `first` up to `end`. */
  encode(pass: GPUComputePassEncoder, first?: number, end?: number): void
  /** Byte offset of a port's first image. */
  offsetOf(port: GpuPort): number
  destroy(): void
}

/** Workgroups of x that exceed a dimension go on in y, which kernels of one thread per item undo. */
function fold(counts: readonly number[], batchAxis: number, most: number, name: string): [number, number, number] {
  const [x, y, z] = counts as [number, number, number]
  const folded: [number, number, number] = batchAxis === 2 && x > most ? [most, Math.ceil(x / most), z] : [x, y, z]
  if (folded.some((count) => count > most))
    throw new GpuError(
      'limit',
      `${JSON.stringify(name)} needs ${counts.join(' × ')} workgroups, the device allows ${most}; use a smaller batch`,
    )
  return folded
}

interface DevicePipelines {
  readonly layout: GPUBindGroupLayout
  /** The shader's pipeline for the overrides that the words of a dispatch give. */
  pipelineOf(shader: GpuShader, words: readonly number[]): Promise<GPUComputePipeline>
}

/** Programs on one device share their pipelines: compiling a shader takes longer than a run. */
const PIPELINES = new WeakMap<GPUDevice, DevicePipelines>()

function pipelinesOf(device: GPUDevice): DevicePipelines {
  const known = PIPELINES.get(device)
  if (known !== undefined) return known
  const layout = device.createBindGroupLayout({
    entries: [
      { binding: 0, visibility: COMPUTE_STAGE, buffer: { type: 'storage' } },
      { binding: 1, visibility: COMPUTE_STAGE, buffer: { type: 'read-only-storage' } },
      { binding: 2, visibility: COMPUTE_STAGE, buffer: { type: 'uniform', hasDynamicOffset: true } },
    ],
  })
  const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] })
  const compiled = new Map<string, Promise<GPUComputePipeline>>()
  const made: DevicePipelines = {
    layout,
    pipelineOf({ name, code, overrides }, words) {
      const constants = Object.fromEntries(Object.entries(overrides).map(([key, index]) => [key, words[index]]))
      const key = `${JSON.stringify(constants)}${code}`
      const found = compiled.get(key)
      if (found !== undefined) return found
      const module = device.createShaderModule({ code, label: name })
      const pipeline = device.createComputePipelineAsync({
        layout: pipelineLayout,
        compute: { module, entryPoint: 'main', constants },
      })
      compiled.set(key, pipeline)
      return pipeline
    },
  }
  PIPELINES.set(device, made)
  return made
}

/** The shader of each dispatch. Throws `limit` where none of a family fits the device. */
export function shadersOf(
  { limits }: GPUDevice,
  header: GpuProgram['header'],
  batch: number,
  levels: readonly GpuLevel[],
  tiles?: GpuTiles,
): GpuShader[] {
  const usable = header.shaders.filter(
    ({ workgroupBytes, threads }) =>
      workgroupBytes <= limits.maxComputeWorkgroupStorageSize &&
      threads <= limits.maxComputeInvocationsPerWorkgroup &&
      threads <= limits.maxComputeWorkgroupSizeX,
  )
  return header.dispatches.map((dispatch) => {
    const shader = chooseShader(usable, dispatch, batch, levels, limits.maxComputeWorkgroupsPerDimension, tiles)
    if (shader === undefined)
      throw new GpuError(
        'limit',
        `no shader of the family ${dispatch.family} fits the device; ${JSON.stringify(dispatch.name)} cannot run`,
      )
    return shader
  })
}

/** Compiles what a session will take, so that it is under way while shaders are tested; who needs a pipeline hears of faults. */
export function compileAhead(
  device: GPUDevice,
  { header }: GpuProgram,
  batch: number,
  levels: readonly GpuLevel[],
  tiles?: GpuTiles,
): void {
  const shaders = shadersOf(device, header, batch, levels, tiles)
  const { pipelineOf } = pipelinesOf(device)
  const compiling = guarded(device, 'compile the shaders', () =>
    Promise.all(shaders.map((shader, index) => pipelineOf(shader, header.dispatches[index].words))),
  )
  compiling.catch(() => undefined)
}

/** Bytes of the arena of a batch. Throws `limit` where a buffer is larger than the device binds. */
export function checkBuffers({ limits }: GPUDevice, { header, constants }: GpuProgram, batch: number): number {
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize, MOST_ARENA_BYTES)
  const arenaBytes = Math.ceil((header.arenaBytes * batch) / 16) * 16
  for (const [what, bytes] of [
    [`the arena of a batch of ${batch}`, arenaBytes],
    ['the constants', constants.length],
  ] as const)
    if (bytes > most) throw new GpuError('limit', `${what} takes ${bytes} bytes, the device binds ${most}`)
  return arenaBytes
}

/** Throws `limit`, `out-of-memory` or `refused`. */
export async function createSession(
  device: GPUDevice,
  { header, constants }: GpuProgram,
  batch: number,
  levels: readonly GpuLevel[],
  tiles?: GpuTiles,
): Promise<GpuSession> {
  const { limits } = device
  const arenaBytes = checkBuffers(device, { header, constants }, batch)
  const shaders = shadersOf(device, header, batch, levels, tiles)
  const counts = header.dispatches.map((dispatch, index) =>
    fold(
      workgroupsOf(dispatch, shaders[index], batch),
      dispatch.batchAxis,
      limits.maxComputeWorkgroupsPerDimension,
      dispatch.name,
    ),
  )

  const words = new Int32Array((header.dispatches.length * WORDS_BYTES) / 4)
  for (const [index, { words: given, scaled }] of header.dispatches.entries())
    for (const [i, word] of given.entries()) words[(index * WORDS_BYTES) / 4 + i] = i < scaled ? word * batch : word

  const buffers: GPUBuffer[] = []
  const destroy = (): void => {
    for (const buffer of buffers) buffer.destroy()
  }
  try {
    return await guarded(device, 'prepare the GPU program', async () => {
      const buffer = (size: number, usage: number): GPUBuffer => {
        const made = device.createBuffer({ size, usage })
        buffers.push(made)
        return made
      }
      const arena = buffer(arenaBytes, STORAGE | COPY_SOURCE | COPY_TARGET)
      const constantBuffer = buffer(constants.length, STORAGE | COPY_TARGET)
      const wordBuffer = buffer(Math.max(words.byteLength, WORDS_BYTES), UNIFORM | COPY_TARGET)
      device.queue.writeBuffer(constantBuffer, 0, constants as Uint8Array<ArrayBuffer>)
      device.queue.writeBuffer(wordBuffer, 0, words)
      for (const tensor of header.initial)
        for (let image = 0; image < batch; image++)
          device.queue.writeBuffer(
            arena,
            tensor.offset * batch + image * tensor.bytes,
            constants as Uint8Array<ArrayBuffer>,
            tensor.constants,
            tensor.bytes,
          )
      const { layout, pipelineOf } = pipelinesOf(device)
      const group = device.createBindGroup({
        layout,
        entries: [
          { binding: 0, resource: { buffer: arena } },
          { binding: 1, resource: { buffer: constantBuffer } },
          { binding: 2, resource: { buffer: wordBuffer, size: WORDS_BYTES } },
        ],
      })
      const pipelines = await Promise.all(
        shaders.map((shader, index) => pipelineOf(shader, header.dispatches[index].words)),
      )
      const steps = shaders.map((_, index) => ({
        pipeline: pipelines[index],
        offset: index * WORDS_BYTES,
        counts: counts[index],
      }))
      return {
        device,
        arena,
        batch,
        shaders,
        encode(pass: GPUComputePassEncoder, first = 0, end = steps.length) {
          let last: GPUComputePipeline | undefined
          for (const { pipeline, offset, counts } of steps.slice(first, end)) {
            if (pipeline !== last) pass.setPipeline(pipeline)
            last = pipeline
            pass.setBindGroup(0, group, [offset])
            pass.dispatchWorkgroups(...counts)
          }
        },
        offsetOf: (port: GpuPort) => port.offset * batch,
        destroy,
      }
    })
  } catch (cause) {
    destroy()
    throw cause
  }
}
