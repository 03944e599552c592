import { expect, it } from 'vitest'
import wabt from 'wabt'
import { disassemble } from './print.ts'

const { parseWat } = await wabt()

it('lists sections, definitions and instructions', () => {
  const bytes = parseWat(
    'test.wat',
    `(module (import "env" "f\\1b" (func)) (memory 1 2) (global (mut i32) (i32.const -3)) (data (i32.const 8) "abc")
      (func (export "run") (param i32) (result i32) (local v128 v128 f64)
        block (result i32) i32.const 4 i32.load offset=300 if call 0 else nop end f32.const 1 drop
          local.get 0 v128.load8_lane offset=1 3 drop
          v128.const i32x4 1 2 3 -1 drop i32.const 7 end))`,
    { simd: true },
  ).toBinary({}).buffer
  expect(disassemble(bytes)).toBe(`module, ${bytes.length} bytes
section type, 11 bytes at 8
section import, 12 bytes at 19
section function, 4 bytes at 31
section memory, 6 bytes at 35
section global, 8 bytes at 41
section export, 9 bytes at 49
section code, 61 bytes at 58
section data, 11 bytes at 119
import function "env" "f\\u{1b}"
memory 1 to 2 pages
global 0 variable i32 = i32.const -3
export "run" = function 1
function 1 (i32) → (i32)
  locals 2 × v128, 1 × f64
  block i32
    i32.const 4
    i32.load align=4 offset=300
    if
      call 0
    else
      nop
    end
    f32.const bits 0x3f800000
    drop
    local.get 0
    v128.load8_lane align=1 offset=1 3
    drop
    v128.const bytes 01 00 00 00 02 00 00 00 03 00 00 00 ff ff ff ff
    drop
    i32.const 7
  end
data 3 bytes at 8
`)
})
