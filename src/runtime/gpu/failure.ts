/** What can go wrong between a program and a GPU, by name, so that a caller can fall back to WebAssembly. */

export type GpuFailure =
  /** There is no WebGPU here, or it gives no adapter. */
  | 'no-adapter'
  /** The bytes are no GPU program that this runtime reads, or a damaged one. */
  | 'program'
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

const SCOPES = ['validation', 'internal', 'out-of-memory'] as const

/**
 * Runs `make` under error scopes; what the device refuses or has no memory for becomes a {@link GpuError}. The scopes close
 * before anything is waited for, so that programs which are loaded side by side see their own errors only: `make` must give
 * all its commands before it waits.
 */
export async function guarded<Result>(
  device: GPUDevice,
  what: string,
  make: () => Result | Promise<Result>,
): Promise<Result> {
  for (const scope of SCOPES) device.pushErrorScope(scope)
  const making = (async () => make())()
  const found = await Promise.allSettled([making, ...SCOPES.toReversed().map(() => device.popErrorScope())])
  const [made, ...closed] = found as [PromiseSettledResult<Result>, ...PromiseSettledResult<GPUError | null>[]]
  for (const [i, scope] of SCOPES.toReversed().entries()) {
    const outcome = closed[i]
    // A device that goes away takes its scopes along.
    const error = outcome.status === 'fulfilled' ? outcome.value : outcome.reason
    if (error !== null)
      throw new GpuError(
        scope === 'out-of-memory' && outcome.status === 'fulfilled' ? 'out-of-memory' : 'refused',
        `cannot ${what}: ${error.message}`,
      )
  }
  if (made.status === 'fulfilled') return made.value
  const { reason } = made
  if (reason instanceof GpuError) throw reason
  // Memory of the host is out where JavaScript finds no room for an array.
  const failure = reason instanceof RangeError ? 'out-of-memory' : 'refused'
  throw new GpuError(failure, `cannot ${what}: ${reason}`, { cause: reason })
}
