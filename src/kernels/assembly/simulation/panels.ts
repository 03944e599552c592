/** Packs a matrix B(K, N) into panels of 8 columns, [panel][K][8], zeros beyond N; strides in bytes. */
export function packPanels(
  b: usize, panels: usize, inner: i32, columns: i32, rowStride: isize, columnStride: isize,
): void {
  for (let first = 0; first < columns; first += 8, b += columnStride << 3) {
    const width = min(8, columns - first)
    const wide = columnStride == 4 && width == 8
    let row = b
    for (let k = 0; k < inner; k++, row += rowStride, panels += 32) {
      if (wide) {
        v128.store(panels, v128.load(row))
        v128.store(panels, v128.load(row, 16), 16)
      } else {
        v128.store(panels, i32x4.splat(0))
        v128.store(panels, i32x4.splat(0), 16)
        for (let lane = 0; lane < width; lane++)
          store<f32>(panels + (<usize>lane << 2), load<f32>(row + <isize>lane * columnStride))
      }
    }
  }
}
