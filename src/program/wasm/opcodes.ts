/**
 * Every instruction dyadic knows, as data: WebAssembly 1.0, sign extension, saturating truncation, bulk memory, simd128
 * and relaxed SIMD (specification 3.0, section 5.4). What is not in this table is refused by the walker. Linker, verifier
 * and listing all read this one table.
 */

/** How one immediate operand is encoded, and what it counts. */
export type Immediate =
  | 'block-type'
  | 'label'
  | 'labels'
  | 'function'
  | 'type'
  | 'table'
  | 'local'
  | 'global'
  | 'memory'
  | 'data'
  | 'element'
  | 'alignment'
  | 'offset'
  | 'lane'
  | 'lanes'
  | 'i32'
  | 'i64'
  | 'f32'
  | 'f64'
  | 'v128'

export interface Opcode {
  /** The byte of an unprefixed instruction, or prefix × 4096 + number: 0x6a is `i32.add`, 0xfd00c is `v128.const`. */
  readonly code: number
  readonly name: string
  readonly immediates: readonly Immediate[]
  /** The instruction reads or writes a value or lanes of a floating-point type. */
  readonly float: boolean
  /** Its result may differ between hosts (relaxed SIMD). */
  readonly relaxed: boolean
}

/** Bytes that announce a numbered instruction. */
export const PREFIXES: readonly number[] = [0xfc, 0xfd]

/** Factor between a prefix byte and the instruction numbers behind it in {@link Opcode.code}. */
export const PREFIX_SPACE = 0x1000

/** Number of the first relaxed SIMD instruction behind prefix 0xfd. */
const FIRST_RELAXED = 0x100

/** First code, immediates, and the names of consecutive codes. */
type Run = readonly [first: number, immediates: string, names: string]

const INTEGER_COMPARISONS = 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u'
const FLOAT_COMPARISONS = 'eq ne lt gt le ge'
const INTEGER_ARITHMETIC = 'clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr'
const FLOAT_ARITHMETIC = 'abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign'

/** The same operations in one type: `of('i32', 'add sub')` is "i32.add i32.sub". */
function of(type: string, operations: string): string {
  return operations
    .split(' ')
    .map((operation) => `${type}.${operation}`)
    .join(' ')
}

const UNPREFIXED: readonly Run[] = [
  [0x00, '', 'unreachable nop'],
  [0x02, 'block-type', 'block loop if'],
  [0x05, '', 'else'],
  [0x0b, '', 'end'],
  [0x0c, 'label', 'br br_if'],
  [0x0e, 'labels label', 'br_table'],
  [0x0f, '', 'return'],
  [0x10, 'function', 'call'],
  [0x11, 'type table', 'call_indirect'],
  [0x1a, '', 'drop select'],
  [0x20, 'local', 'local.get local.set local.tee'],
  [0x23, 'global', 'global.get global.set'],
  [0x28, 'alignment offset', 'i32.load i64.load f32.load f64.load'],
  [0x2c, 'alignment offset', of('i32', 'load8_s load8_u load16_s load16_u')],
  [0x30, 'alignment offset', of('i64', 'load8_s load8_u load16_s load16_u load32_s load32_u')],
  [0x36, 'alignment offset', 'i32.store i64.store f32.store f64.store i32.store8 i32.store16'],
  [0x3c, 'alignment offset', 'i64.store8 i64.store16 i64.store32'],
  [0x3f, 'memory', 'memory.size memory.grow'],
  [0x41, 'i32', 'i32.const'],
  [0x42, 'i64', 'i64.const'],
  [0x43, 'f32', 'f32.const'],
  [0x44, 'f64', 'f64.const'],
  [0x45, '', of('i32', `eqz ${INTEGER_COMPARISONS}`)],
  [0x50, '', of('i64', `eqz ${INTEGER_COMPARISONS}`)],
  [0x5b, '', of('f32', FLOAT_COMPARISONS)],
  [0x61, '', of('f64', FLOAT_COMPARISONS)],
  [0x67, '', of('i32', INTEGER_ARITHMETIC)],
  [0x79, '', of('i64', INTEGER_ARITHMETIC)],
  [0x8b, '', of('f32', FLOAT_ARITHMETIC)],
  [0x99, '', of('f64', FLOAT_ARITHMETIC)],
  [0xa7, '', of('i32', 'wrap_i64 trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u')],
  [0xac, '', of('i64', 'extend_i32_s extend_i32_u trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u')],
  [0xb2, '', of('f32', 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u demote_f64')],
  [0xb7, '', of('f64', 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u promote_f32')],
  [0xbc, '', 'i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64'],
  [0xc0, '', 'i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s'],
]

const BULK: readonly Run[] = [
  [0x00, '', of('i32', 'trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u')],
  [0x04, '', of('i64', 'trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u')],
  [0x08, 'data memory', 'memory.init'],
  [0x09, 'data', 'data.drop'],
  [0x0a, 'memory memory', 'memory.copy'],
  [0x0b, 'memory', 'memory.fill'],
  [0x0c, 'element table', 'table.init'],
  [0x0d, 'element', 'elem.drop'],
  [0x0e, 'table table', 'table.copy'],
]

const VECTOR: readonly Run[] = [
  [0x00, 'alignment offset', of('v128', 'load load8x8_s load8x8_u load16x4_s load16x4_u load32x2_s load32x2_u')],
  [0x07, 'alignment offset', of('v128', 'load8_splat load16_splat load32_splat load64_splat store')],
  [0x0c, 'v128', 'v128.const'],
  [0x0d, 'lanes', 'i8x16.shuffle'],
  [0x0e, '', 'i8x16.swizzle i8x16.splat i16x8.splat i32x4.splat i64x2.splat f32x4.splat f64x2.splat'],
  [0x15, 'lane', of('i8x16', 'extract_lane_s extract_lane_u replace_lane')],
  [0x18, 'lane', of('i16x8', 'extract_lane_s extract_lane_u replace_lane')],
  [0x1b, 'lane', 'i32x4.extract_lane i32x4.replace_lane i64x2.extract_lane i64x2.replace_lane'],
  [0x1f, 'lane', 'f32x4.extract_lane f32x4.replace_lane f64x2.extract_lane f64x2.replace_lane'],
  [0x23, '', of('i8x16', INTEGER_COMPARISONS)],
  [0x2d, '', of('i16x8', INTEGER_COMPARISONS)],
  [0x37, '', of('i32x4', INTEGER_COMPARISONS)],
  [0x41, '', of('f32x4', FLOAT_COMPARISONS)],
  [0x47, '', of('f64x2', FLOAT_COMPARISONS)],
  [0x4d, '', of('v128', 'not and andnot or xor bitselect any_true')],
  [0x54, 'alignment offset lane', of('v128', 'load8_lane load16_lane load32_lane load64_lane')],
  [0x58, 'alignment offset lane', of('v128', 'store8_lane store16_lane store32_lane store64_lane')],
  [0x5c, 'alignment offset', 'v128.load32_zero v128.load64_zero'],
  [0x5e, '', 'f32x4.demote_f64x2_zero f64x2.promote_low_f32x4'],
  [0x60, '', of('i8x16', 'abs neg popcnt all_true bitmask narrow_i16x8_s narrow_i16x8_u')],
  [0x67, '', of('f32x4', 'ceil floor trunc nearest')],
  [0x6b, '', of('i8x16', 'shl shr_s shr_u add add_sat_s add_sat_u sub sub_sat_s sub_sat_u')],
  [0x74, '', 'f64x2.ceil f64x2.floor i8x16.min_s i8x16.min_u i8x16.max_s i8x16.max_u f64x2.trunc i8x16.avgr_u'],
  [0x7c, '', 'i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u'],
  [0x7e, '', 'i32x4.extadd_pairwise_i16x8_s i32x4.extadd_pairwise_i16x8_u'],
  [0x80, '', of('i16x8', 'abs neg q15mulr_sat_s all_true bitmask narrow_i32x4_s narrow_i32x4_u')],
  [0x87, '', of('i16x8', 'extend_low_i8x16_s extend_high_i8x16_s extend_low_i8x16_u extend_high_i8x16_u')],
  [0x8b, '', of('i16x8', 'shl shr_s shr_u add add_sat_s add_sat_u sub sub_sat_s sub_sat_u')],
  [0x94, '', 'f64x2.nearest i16x8.mul i16x8.min_s i16x8.min_u i16x8.max_s i16x8.max_u'],
  [0x9b, '', of('i16x8', 'avgr_u extmul_low_i8x16_s extmul_high_i8x16_s extmul_low_i8x16_u extmul_high_i8x16_u')],
  [0xa0, '', 'i32x4.abs i32x4.neg'],
  [0xa3, '', 'i32x4.all_true i32x4.bitmask'],
  [0xa7, '', of('i32x4', 'extend_low_i16x8_s extend_high_i16x8_s extend_low_i16x8_u extend_high_i16x8_u')],
  [0xab, '', of('i32x4', 'shl shr_s shr_u add')],
  [0xb1, '', 'i32x4.sub'],
  [0xb5, '', of('i32x4', 'mul min_s min_u max_s max_u dot_i16x8_s')],
  [0xbc, '', of('i32x4', 'extmul_low_i16x8_s extmul_high_i16x8_s extmul_low_i16x8_u extmul_high_i16x8_u')],
  [0xc0, '', 'i64x2.abs i64x2.neg'],
  [0xc3, '', 'i64x2.all_true i64x2.bitmask'],
  [0xc7, '', of('i64x2', 'extend_low_i32x4_s extend_high_i32x4_s extend_low_i32x4_u extend_high_i32x4_u')],
  [0xcb, '', of('i64x2', 'shl shr_s shr_u add')],
  [0xd1, '', 'i64x2.sub'],
  [0xd5, '', of('i64x2', 'mul eq ne lt_s gt_s le_s ge_s')],
  [0xdc, '', of('i64x2', 'extmul_low_i32x4_s extmul_high_i32x4_s extmul_low_i32x4_u extmul_high_i32x4_u')],
  [0xe0, '', 'f32x4.abs f32x4.neg'],
  [0xe3, '', of('f32x4', 'sqrt add sub mul div min max pmin pmax')],
  [0xec, '', 'f64x2.abs f64x2.neg'],
  [0xef, '', of('f64x2', 'sqrt add sub mul div min max pmin pmax')],
  [0xf8, '', 'i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u'],
  [0xfc, '', 'i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero'],
  [0xfe, '', 'f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u'],
  [FIRST_RELAXED, '', 'i8x16.relaxed_swizzle i32x4.relaxed_trunc_f32x4_s i32x4.relaxed_trunc_f32x4_u'],
  [0x103, '', 'i32x4.relaxed_trunc_f64x2_s_zero i32x4.relaxed_trunc_f64x2_u_zero'],
  [0x105, '', 'f32x4.relaxed_madd f32x4.relaxed_nmadd f64x2.relaxed_madd f64x2.relaxed_nmadd'],
  [0x109, '', 'i8x16.relaxed_laneselect i16x8.relaxed_laneselect'],
  [0x10b, '', 'i32x4.relaxed_laneselect i64x2.relaxed_laneselect'],
  [0x10d, '', 'f32x4.relaxed_min f32x4.relaxed_max f64x2.relaxed_min f64x2.relaxed_max'],
  [0x111, '', 'i16x8.relaxed_q15mulr_s i16x8.relaxed_dot_i8x16_i7x16_s i32x4.relaxed_dot_i8x16_i7x16_add_s'],
]

function expand(prefix: number, runs: readonly Run[]): Opcode[] {
  return runs.flatMap(([first, immediates, names]) =>
    names.split(' ').map((name, index) => ({
      code: prefix * PREFIX_SPACE + first + index,
      name,
      immediates: immediates === '' ? [] : (immediates.split(' ') as Immediate[]),
      // Every instruction that touches a float names the type: f32.add, i32.reinterpret_f32, i32x4.trunc_sat_f64x2_s_zero.
      float: /f32|f64/.test(name),
      relaxed: prefix === 0xfd && first >= FIRST_RELAXED,
    })),
  )
}

/** All instructions by {@link Opcode.code}. */
export const OPCODES: ReadonlyMap<number, Opcode> = new Map(
  [...expand(0, UNPREFIXED), ...expand(0xfc, BULK), ...expand(0xfd, VECTOR)].map((opcode) => [opcode.code, opcode]),
)
