/** What can go wrong between a program and a GPU, by name, so that a caller can fall back to WebAssembly. */

export type GpuFailure =
  /** There is no WebGPU here, or it gives no adapter. */
  | 'no-adapter'
  /** A level was demanded that the device or its values do not have. */
  | 'missing-feature'
  /** The program needs larger buffers or more workgroup memory than the device has. */
  | 'limit'
  | 'out-of-memory'
  /** The device went away; nothing of this network works any more. */
  | 'device-lost'
  /** The device refused a command; a fault of this program or of the driver. */
  | 'refused'

/** An error of the GPU or of a program on it; the caller may run the WebAssembly module instead and gets the same bytes. */
export class GpuError extends Error {
  override readonly name = 'GpuError'
  readonly failure: GpuFailure

  constructor(failure: GpuFailure, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.failure = failure
  }
}

/** Runs `make` under error scopes; what the device refuses or has no memory for becomes a {@link GpuError}. */
export async function guarded<Result>(
  device: GPUDevice,
  what: string,
  make: () => Result | Promise<Result>,
): Promise<Result> {
  const kinds = ['validation', 'internal', 'out-of-memory'] as const
  for (const kind of kinds) device.pushErrorScope(kind)
  let result: Result | undefined
  let thrown: unknown
  try {
    result = await make()
  } catch (cause) {
    thrown = cause
  }
  for (const kind of kinds.toReversed()) {
    const error = await device.popErrorScope()
    if (error !== null && thrown === undefined)
      thrown = new GpuError(kind === 'out-of-memory' ? 'out-of-memory' : 'refused', `cannot ${what}: ${error.message}`)
  }
  if (thrown instanceof GpuError) throw thrown
  if (thrown !== undefined) throw new GpuError('refused', `cannot ${what}: ${thrown}`, { cause: thrown })
  return result as Result
}
