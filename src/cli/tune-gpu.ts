/**
 * The tuner of tiles: every shader that could compute a product of a GPU program is timed on every product of its shape, on
 * the device at hand. Shaders of a family give the same bytes, so a table changes times only.
 */
import type { GpuNetwork, GpuTiles, TileRule } from '../runtime/gpu/index.ts'
import type { GpuDispatch, GpuHeader, GpuShader } from '../runtime/gpu/program.ts'
import { timeDispatches } from './gpu-times.ts'
import type { Session } from './session.ts'

/** Another shader must be so much faster than the one that the default takes. */
const GAIN = 0.95

/** A shader's time for a product. */
export interface TileTime {
  readonly shader: string
  readonly level: GpuShader['level']
  readonly tile: readonly [columns: number, rows: number]
  readonly microseconds: number
}

/** Products of one shape, and what was measured of them. */
export interface TunedProduct {
  /** Of the first of them. */
  readonly name: string
  readonly count: number
  readonly family: string
  readonly rows: number
  readonly columns: number
  readonly depth: number
  /** Fastest first. */
  readonly candidates: readonly TileTime[]
  readonly chosen: TileTime
  /** What runs without the new table. */
  readonly default: TileTime
}

export interface Tuning {
  readonly adapter: string
  readonly products: readonly TunedProduct[]
  readonly tiles: GpuTiles
}

/** Opens the program with other tiles, or with those that hold without any. */
export type OpenWith = (tiles?: GpuTiles) => Promise<GpuNetwork>

const isProduct = ({ depth, batchAxis }: GpuDispatch): boolean => depth !== undefined && batchAxis === 1
const shapeOf = ({ family, extent, depth }: GpuDispatch, batch: number): string =>
  JSON.stringify([family, extent[1] * batch, extent[0], depth])

/** The distinct tiles of shaders that compute products; plain ones only where there is nothing else. */
function tilesOf({ shaders, dispatches }: GpuHeader, taken: readonly GpuShader[]): Pick<TileRule, 'level' | 'tile'>[] {
  const families = new Set(dispatches.filter(isProduct).map(({ family }) => family))
  const products = shaders.filter((shader) => shader.families.some((family) => families.has(family)))
  const plain = dispatches.every((dispatch, i) => !isProduct(dispatch) || taken[i].level === 'plain')
  const tiles = new Map<string, Pick<TileRule, 'level' | 'tile'>>()
  for (const { level, tile } of products)
    if (level !== 'plain' || plain) tiles.set(`${level} ${tile}`, { level, tile: [tile[0], tile[1]] })
  return [...tiles.values()]
}

/** Times all candidates. Throws as `load`. */
export async function tuneTiles(
  header: GpuHeader,
  batch: number,
  open: OpenWith,
  { clock, progress, signal }: Session,
): Promise<Tuning> {
  const { dispatches } = header
  const first = await open()
  const { adapter } = first
  const before = first.session.shaders
  first.destroy()
  const found = new Map<string, Map<string, TileTime & { readonly spans: number[] }>>()
  const candidates = tilesOf(header, before)
  progress.begin('tune')
  for (const [done, { level, tile }] of candidates.entries()) {
    const network = await open({ schema: 1, rules: [{ level, tile }] })
    const { shaders } = network.session
    const times = await timeDispatches(network.session, clock, signal)
    network.destroy()
    for (const [i, dispatch] of dispatches.entries()) {
      const shader = shaders[i]
      if (!isProduct(dispatch) || shader.level !== level || String(shader.tile.slice(0, 2)) !== String(tile)) continue
      const shape = shapeOf(dispatch, batch)
      const known = found.get(shape) ?? new Map<string, TileTime & { readonly spans: number[] }>()
      found.set(shape, known)
      const time = known.get(shader.name) ?? { shader: shader.name, level, tile, microseconds: 0, spans: [] }
      time.spans.push(times[i])
      known.set(shader.name, time)
    }
    progress.update(done + 1, candidates.length)
  }
  progress.end()
  const products: TunedProduct[] = []
  for (const [shape, known] of found) {
    const alike = dispatches.filter((dispatch) => isProduct(dispatch) && shapeOf(dispatch, batch) === shape)
    const { name, family, extent, depth = 0 } = alike[0]
    const measured = [...known.values()]
      .map(
        ({ spans, ...rest }): TileTime => ({
          ...rest,
          microseconds: spans.reduce((sum, span) => sum + span, 0) / spans.length,
        }),
      )
      .sort((a, b) => a.microseconds - b.microseconds)
    const present = measured.find(({ shader }) => shader === before[dispatches.indexOf(alike[0])].name) ?? measured[0]
    products.push({
      ...{ name, count: alike.length, family, rows: extent[1] * batch, columns: extent[0], depth },
      candidates: measured,
      chosen: measured[0].microseconds < GAIN * present.microseconds ? measured[0] : present,
      default: present,
    })
  }
  const rules = products.map(
    ({ family, rows, columns, depth, chosen: { level, tile } }): TileRule => ({
      ...{ level, tile, families: [family] },
      ...{ rows: [rows, rows], columns: [columns, columns], depth: [depth, depth] },
    }),
  )
  return { adapter, products, tiles: { schema: 1, adapter, rules } }
}
