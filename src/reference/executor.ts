/** The contract of both float executors. */

export interface FloatExecutor {
  /**
   * Runs one inference. Inputs are by name, row-major in the graph's shapes; outputs likewise. Any array of numbers will
   * do for an input; inputs of integer types, such as the ids of tokens, take integers only.
   * `tap` sees every value a node computes (after fusion), with all its elements in the executor's own order;
   * the array is only valid during the call.
   */
  run(
    inputs: ReadonlyMap<string, ArrayLike<number>>,
    tap?: (name: string, values: Float32Array) => void,
  ): Map<string, Float32Array>
}
