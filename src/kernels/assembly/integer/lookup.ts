// Rule R19: rows of a table chosen by computed indices. Rows are as long as a pixel of the target, a multiple of 8 bytes;
// `indexStep` is in bytes.
export function lookUpRows(
  indices: usize, target: usize, table: usize, pixels: i32, indexStep: i32, entries: i32, rowBytes: i32,
): void {
  for (let p = 0; p < pixels; p++, indices += indexStep) {
    let row = table + <usize>max(0, min(load<i32>(indices), entries - 1)) * rowBytes
    for (const end = target + rowBytes; target < end; target += 8, row += 8) store<u64>(target, load<u64>(row))
  }
}
