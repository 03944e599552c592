/** What `dyadic bench --tune-gpu` says: every product, its candidates, their times and the one that was chosen. */
import { quoted } from '../error.ts'
import type { CommandResult } from './command.ts'
import { counted, fields, milliseconds, table } from './format.ts'
import type { TileTime, TunedProduct, Tuning } from './tune-gpu.ts'

/** Milliseconds of all products with one of their times. */
function summed(products: readonly TunedProduct[], time: (product: TunedProduct) => TileTime): number {
  return products.reduce((sum, product) => sum + product.count * time(product).microseconds, 0) / 1000
}

export function tuningResult(path: string, batch: number, { adapter, products, tiles }: Tuning): CommandResult {
  const rows = products.flatMap((product) =>
    product.candidates.map((candidate, index) => [
      index === 0 ? quoted(product.name) : '',
      index === 0 ? `${product.rows} × ${product.columns} × ${product.depth}` : '',
      index === 0 ? String(product.count) : '',
      quoted(candidate.shader),
      candidate.microseconds.toFixed(1),
      [candidate === product.chosen && 'chosen', candidate === product.default && 'so far'].filter(Boolean).join(', '),
    ]),
  )
  return {
    json: { model: path, adapter, batch, products, tiles },
    text:
      `${quoted(path)}: products of a run of ${counted(batch, 'image')} on ${quoted(adapter)}, medians\n` +
      fields([
        ['so far', milliseconds(summed(products, (product) => product.default))],
        ['chosen', milliseconds(summed(products, ({ chosen }) => chosen))],
      ]) +
      `\n${table(['name', 'rows × columns × depth', 'times', 'shader', 'µs', ''], rows)}`,
  }
}
