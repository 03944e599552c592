/** Integer outputs by name. */
export type Outputs = Readonly<Record<string, ArrayBufferView>>

export function joined(outputs: Outputs): Uint8Array
export function hashAll(outputs: readonly (readonly Uint8Array[])[]): Promise<string[][]>
export function hashOutputs(outputs: Outputs): Promise<string>
