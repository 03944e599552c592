/**
 * Which shader of its family a dispatch takes. All of a family give the same bytes; which is fastest depends on the level, the
 * shape and the device, and stands in a table: the first rule that fits decides. Callers may put rules before it, such as those
 * that `dyadic bench --tune-gpu` writes for a device.
 */
import { LEVELS } from './device.ts'
import type { GpuDispatch, GpuLevel, GpuShader } from './program.ts'

/** Both ends belong to it. */
export type TileBand = readonly [least: number, most: number]

/** Shapes, and the shader for them: its level, and what one of its workgroups makes. What is absent does not matter. */
export interface TileRule {
  readonly level: GpuLevel
  readonly tile: readonly [columns: number, rows: number]
  readonly families?: readonly string[]
  /** Rows of the whole batch. */
  readonly rows?: TileBand
  readonly columns?: TileBand
  /** Products that each result sums. */
  readonly depth?: TileBand
  /** Least workgroups that the tile must give. */
  readonly workgroups?: number
}

/** A table of tiles, as a file of JSON holds it. */
export interface GpuTiles {
  readonly schema: 1
  /** The device it was measured on, for people. */
  readonly adapter?: string
  /** The first one that fits a dispatch decides. */
  readonly rules: readonly TileRule[]
}

/** Workgroups from which a larger tile beats more workgroups: about what large GPUs run at once. */
const ENOUGH_WORKGROUPS = 128

/** Up to this depth what comes before and behind the products counts more than they: smaller tiles hide it better. */
const SHALLOW = 256

const MATRIX: readonly TileRule[] = [
  { level: 'matrix', tile: [64, 64], columns: [1, 64], workgroups: ENOUGH_WORKGROUPS },
  { level: 'matrix', tile: [64, 64], depth: [1, SHALLOW], workgroups: ENOUGH_WORKGROUPS },
  { level: 'matrix', tile: [128, 128], workgroups: ENOUGH_WORKGROUPS },
  { level: 'matrix', tile: [64, 64], workgroups: ENOUGH_WORKGROUPS },
  { level: 'matrix', tile: [32, 32] },
]

/** Few rows go to the kernels that read weights once, everything else to the largest tile that fills the device. */
function productsOf(level: 'dot4' | 'plain'): TileRule[] {
  return [
    { level, tile: [8, 1], rows: [1, 1] },
    { level, tile: [8, 4], rows: [2, 4] },
    { level, tile: [8, 8], rows: [5, 32] },
    ...(level === 'plain' ? [] : MATRIX),
    { level, tile: [64, 64], columns: [1, 64], workgroups: ENOUGH_WORKGROUPS },
    { level, tile: [128, 64], workgroups: ENOUGH_WORKGROUPS },
    { level, tile: [64, 64], workgroups: ENOUGH_WORKGROUPS },
    { level, tile: [64, 32] },
    { level, tile: [32, 32] },
    { level, tile: [8, 8] },
  ]
}

/** What holds where no table is given, and behind the rules of a given one. */
export const DEFAULT_TILES: GpuTiles = { schema: 1, rules: [...productsOf('dot4'), ...productsOf('plain')] }

/** Workgroups of a dispatch with a shader along x, y and z. */
export function workgroupsOf({ extent, batchAxis }: GpuDispatch, { tile }: GpuShader, batch: number): number[] {
  return extent.map((size, axis) => Math.ceil((axis === batchAxis ? size * batch : size) / tile[axis]))
}

const total = (dispatch: GpuDispatch, shader: GpuShader, batch: number): number =>
  workgroupsOf(dispatch, shader, batch).reduce((product, count) => product * count, 1)

const within = (band: TileBand | undefined, value: number): boolean =>
  band === undefined || (value >= band[0] && value <= band[1])

/**
 * The shader of the first rule that fits, of those of allowed levels. Where none does: of the fastest level, the largest tile
 * that fills the device, else the smallest. Nothing where the family has no shader of these levels. `most` is how many
 * workgroups the device takes along a dimension; a tile that gives more is taken only where every other does too.
 */
export function chooseShader(
  shaders: readonly GpuShader[],
  dispatch: GpuDispatch,
  batch: number,
  levels: readonly GpuLevel[],
  most: number,
  tiles?: GpuTiles,
): GpuShader | undefined {
  const { family, extent, batchAxis, depth = 0 } = dispatch
  const allowed = shaders.filter(({ level, families }) => levels.includes(level) && families.includes(family))
  const fitting = allowed.filter((shader) => workgroupsOf(dispatch, shader, batch)[1] <= most)
  const candidates = fitting.length > 0 ? fitting : allowed
  const rows = extent[1] * batch
  // Only products of matrices have rows; what a batch multiplies in z has no choice of shaders by shape.
  const rules = batchAxis === 1 ? [...(tiles?.rules ?? []), ...DEFAULT_TILES.rules] : []
  for (const rule of rules) {
    const { level, tile, families, workgroups = 1 } = rule
    if (families !== undefined && !families.includes(family)) continue
    if (!within(rule.rows, rows) || !within(rule.columns, extent[0]) || !within(rule.depth, depth)) continue
    const shader = candidates.find((one) => one.level === level && one.tile[0] === tile[0] && one.tile[1] === tile[1])
    if (shader !== undefined && total(dispatch, shader, batch) >= workgroups) return shader
  }
  const fastest = LEVELS.find((level) => candidates.some((shader) => shader.level === level))
  const sorted = candidates
    .filter(({ level }) => level === fastest)
    .toSorted((a, b) => b.tile[0] * b.tile[1] - a.tile[0] * a.tile[1])
  return sorted.find((shader) => total(dispatch, shader, batch) >= ENOUGH_WORKGROUPS) ?? sorted.at(-1)
}

const RULE_FIELDS = ['level', 'tile', 'families', 'rows', 'columns', 'depth', 'workgroups']
const MOST_RULES = 10_000

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isPair = (value: unknown): value is [number, number] =>
  Array.isArray(value) && value.length === 2 && value.every(isCount)

/** What is wrong with a rule; nothing where it is right. */
function faultOf(rule: unknown): string | undefined {
  if (!isObject(rule)) return 'is no object'
  const unknown = Object.keys(rule).find((field) => !RULE_FIELDS.includes(field))
  if (unknown !== undefined)
    return `has an unknown field ${JSON.stringify(unknown)}; there are ${RULE_FIELDS.join(', ')}`
  const { level, tile, families, workgroups } = rule
  if (!LEVELS.includes(level as GpuLevel)) return `has level ${JSON.stringify(level)}; there are ${LEVELS.join(', ')}`
  if (!isPair(tile) || tile.includes(0)) return 'needs a tile of two counts, columns and rows'
  if (families !== undefined && !(Array.isArray(families) && families.every((name) => typeof name === 'string')))
    return 'has families that are no list of names'
  for (const name of ['rows', 'columns', 'depth'])
    if (rule[name] !== undefined && !(isPair(rule[name]) && rule[name][0] <= rule[name][1]))
      return `has ${name} that are no two counts, the least and the most`
  if (workgroups !== undefined && !isCount(workgroups)) return 'has workgroups that are no count'
  return undefined
}

/** A table from JSON, checked field by field. Throws an `Error` that says what is wrong with it. */
export function checkTiles(value: unknown): GpuTiles {
  if (!isObject(value)) throw new Error('a table of tiles is an object')
  const { schema, adapter, rules } = value
  if (schema !== 1)
    throw new Error(`the table of tiles has schema ${JSON.stringify(schema)}, this runtime reads 1; tune again`)
  const unknown = Object.keys(value).find((field) => !['schema', 'adapter', 'rules'].includes(field))
  if (unknown !== undefined) throw new Error(`the table of tiles has an unknown field ${JSON.stringify(unknown)}`)
  if (adapter !== undefined && typeof adapter !== 'string') throw new Error('the adapter of a table of tiles is a text')
  if (!Array.isArray(rules) || rules.length > MOST_RULES)
    throw new Error(`a table of tiles has a list of rules, at most ${MOST_RULES}`)
  for (const [index, rule] of rules.entries()) {
    const fault = faultOf(rule)
    if (fault !== undefined) throw new Error(`rule ${index} of the table of tiles ${fault}`)
  }
  return value as unknown as GpuTiles
}
