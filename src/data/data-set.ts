/**
 * What a data set is to the rest of the library: labelled samples whose stored numbers are exact, with the affine map
 * that turns them into the network's real input. Float and integer networks see the same stored numbers.
 */

export interface DataSet {
  readonly name: string
  readonly length: number
  /** Element type of the stored samples. */
  readonly elementType: 'uint8' | 'int8' | 'float32'
  /** Shape of one stored sample, without the batch axis, in the network's layout (usually C, H, W). */
  readonly shape: readonly number[]
  /** Axis of `shape` that `scale` and `offset` run along; meaningless when both have one entry. */
  readonly channelAxis: number
  /** Real input = scale[c] × (stored − offset[c]); one entry, or one per channel. `[1]` and `[0]` for float32 data. */
  readonly scale: readonly number[]
  readonly offset: readonly number[]
  /** Class of a sample, or undefined where the set has no labels. */
  label(index: number): number | undefined
  /**
   * Where samples are sequences with an answer at every position, and have no label: the right answers of one sample, −1 where
   * none is asked for.
   */
  answers?(index: number): Int32Array
  /** The stored numbers of one sample, row-major in `shape`. */
  read(index: number): Promise<Uint8Array | Int8Array | Float32Array>
  /** A short name of a sample (file name or index) for reports. */
  describe(index: number): string
}

/** Reads bytes of a data set's files; the Node implementation is the only part of `data/` that touches a file system. */
export interface FileAccess {
  /** The whole file. Throws `refused` naming the path when it cannot be read or is larger than `limit` bytes. */
  read(path: string, limit?: number): Promise<Uint8Array>
  /** File names (not paths) of the regular files in a folder, sorted by code point. Throws `refused` naming the path. */
  list(folder: string): Promise<string[]>
}
