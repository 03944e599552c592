import { describe, expect, it } from 'vitest'
import { simplify } from '../simplify.ts'
import { readNumbers } from '../tensor.ts'
import { expectSameMeaning, operatorsOf, Sketch } from './sketch.fixture.ts'

const SHAPE = [2, 3, 4, 5]

/** A sketch with the constants that activations are written with. */
function sketch(): Sketch {
  const made = new Sketch(SHAPE)
  for (const [name, value] of Object.entries({ zero: 0, three: 3, six: 6, sixth: 1 / 6, half: 0.5, two: 2 }))
    made.constant(name, [], [value])
  return made
}

/** Writes an activation of `x` into the sketch; the last value is `y`. */
type Writing = (s: Sketch) => void

const WRITINGS: readonly [name: string, expected: string, write: Writing][] = [
  [
    'x · Sigmoid(x)',
    'Swish',
    (s) => {
      s.node('Mul', ['x', s.node('Sigmoid', ['x'], 's')], 'y')
    },
  ],
  [
    'Sigmoid(2x) · x',
    'Swish',
    (s) => {
      s.node('Mul', [s.node('Sigmoid', [s.node('Mul', ['two', 'x'], 'm')], 's'), 'x'], 'y')
    },
  ],
  [
    'x · Tanh(Softplus(x))',
    'Mish',
    (s) => {
      s.node('Mul', ['x', s.node('Tanh', [s.node('Softplus', ['x'], 'p')], 't')], 'y')
    },
  ],
  [
    'x · HardSigmoid(x, 1/6)',
    'HardSwish',
    (s) => {
      s.node('Mul', [s.node('HardSigmoid', ['x'], 'h', { alpha: Math.fround(1 / 6) }), 'x'], 'y')
    },
  ],
  [
    'Clip(x + 3, 0, 6) / 6',
    'HardSigmoid',
    (s) => {
      s.node('Div', [s.node('Clip', [s.node('Add', ['x', 'three'], 'a'), 'zero', 'six'], 'c'), 'six'], 'y')
    },
  ],
  [
    'x · (Clip(x + 3, 0, 6) / 6)',
    'HardSwish',
    (s) => {
      s.node('Div', [s.node('Clip', [s.node('Add', ['x', 'three'], 'a'), 'zero', 'six'], 'c'), 'six'], 'd')
      s.node('Mul', ['x', 'd'], 'y')
    },
  ],
  [
    '(x · Clip(x + 3, 0, 6)) / 6',
    'HardSwish',
    (s) => {
      s.node('Mul', ['x', s.node('Clip', [s.node('Add', ['three', 'x'], 'a'), 'zero', 'six'], 'c')], 'm')
      s.node('Div', ['m', 'six'], 'y')
    },
  ],
  [
    '(x / 6) · Clip(x + 3, 0, 6)',
    'HardSwish',
    (s) => {
      s.node('Clip', [s.node('Add', ['three', 'x'], 'a'), 'zero', 'six'], 'c')
      s.node('Mul', ['c', s.node('Mul', ['sixth', 'x'], 'm')], 'y')
    },
  ],
  [
    'x · (Erf(x / √2) + 1) · 0.5',
    'Gelu',
    (s) => {
      s.node('Erf', [s.node('Div', ['x', s.constant('root', [], [Math.SQRT2])], 'd')], 'e')
      s.node('Mul', ['x', s.node('Add', ['e', s.constant('one', [], [1])], 'a')], 'm')
      s.node('Mul', ['m', 'half'], 'y')
    },
  ],
  [
    '(0.5 · x) · (1 + Erf(x · √½))',
    'Gelu',
    (s) => {
      s.node('Erf', [s.node('Mul', ['x', s.constant('root', [1], [Math.SQRT1_2])], 'd')], 'e')
      s.node('Add', [s.constant('one', [], [1]), 'e'], 'a')
      s.node('Mul', [s.node('Mul', ['half', 'x'], 'm'), 'a'], 'y')
    },
  ],
  [
    'x · (0.5 · (1 + Erf(x / √2)))',
    'Gelu',
    (s) => {
      s.node('Erf', [s.node('Div', ['x', s.constant('root', [], [Math.SQRT2])], 'd')], 'e')
      s.node('Mul', ['half', s.node('Add', [s.constant('one', [], [1]), 'e'], 'a')], 'm')
      s.node('Mul', ['x', 'm'], 'y')
    },
  ],
  [
    'Relu(x) − slope · Relu(−x)',
    'PRelu',
    (s) => {
      s.node('Relu', [s.node('Neg', ['x'], 'n')], 'r')
      s.node('Mul', ['r', s.constant('k', [3, 1, 1])], 'm')
      s.node('Add', [s.node('Relu', ['x'], 'p'), 'm'], 'y')
    },
  ],
  [
    'slope · Min(x, 0) + Relu(x)',
    'PRelu',
    (s) => {
      s.node('Mul', [s.constant('k', [1, 3, 1, 1]), s.node('Min', ['zero', 'x'], 'l')], 'm')
      s.node('Add', ['m', s.node('Relu', ['x'], 'p')], 'y')
    },
  ],
  [
    'Max(x, 0.5 x)',
    'LeakyRelu',
    (s) => {
      s.node('Max', [s.node('Mul', ['x', 'half'], 'm'), 'x'], 'y')
    },
  ],
  [
    'Max(x, slopes · x)',
    'PRelu',
    (s) => {
      s.node('Max', ['x', s.node('Mul', ['x', s.constant('k', [3, 1, 1], [0, 0.25, 1])], 'm')], 'y')
    },
  ],
]

describe('activations written out', () => {
  it.each(WRITINGS)('%s is %s', (_, expected, write) => {
    const made = sketch()
    write(made)
    const before = made.graph('y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual([expected])
    expect(after.nodes[0].inputs[0]).toBe('x')
    expectSameMeaning(before, after)
  })

  it('keep the nodes that something else reads', () => {
    const made = sketch()
    made.node('Mul', ['x', made.node('Sigmoid', ['x'], 's')], 'y')
    const before = made.graph('y', 's')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Sigmoid', 'Swish'])
    expectSameMeaning(before, after)
  })

  it.each<[string, Writing]>([
    [
      'another bound than the divisor',
      (s) => {
        s.node('Mul', [s.node('Clip', [s.node('Add', ['x', 'three'], 'a'), 'zero', 'six'], 'c'), 'half'], 'y')
      },
    ],
    [
      'a gate with another shift',
      (s) => {
        s.node('Mul', ['x', s.node('Clip', [s.node('Add', ['x', 'two'], 'a'), 'zero', 'six'], 'c')], 'm')
        s.node('Div', ['m', 'six'], 'y')
      },
    ],
    [
      'a gate with a shift per channel',
      (s) => {
        s.node('Add', ['x', s.constant('k', [3, 1, 1], [3, 2, 1])], 'a')
        s.node('Div', [s.node('Clip', ['a', 'zero', 'six'], 'c'), 'six'], 'y')
      },
    ],
    [
      'the gate of another value',
      (s) => {
        s.node('Mul', ['x', s.node('Sigmoid', [s.node('Neg', ['x'], 'n')], 's')], 'y')
      },
    ],
    [
      'an error function of x itself',
      (s) => {
        s.node('Add', [s.node('Erf', ['x'], 'e'), s.constant('one', [], [1])], 'a')
        s.node('Mul', [s.node('Mul', ['x', 'a'], 'm'), 'half'], 'y')
      },
    ],
    [
      'a slope above 1 in a maximum',
      (s) => {
        s.node('Max', ['x', s.node('Mul', ['x', 'two'], 'm')], 'y')
      },
    ],
    [
      'a slope that widens the value',
      (s) => {
        s.node('Relu', [s.node('Neg', ['x'], 'n')], 'r')
        s.node('Add', [s.node('Relu', ['x'], 'p'), s.node('Mul', ['r', s.constant('k', [2, 1, 1, 1, 1])], 'm')], 'y')
      },
    ],
  ])('are not seen in %s', (_, write) => {
    const made = sketch()
    write(made)
    const before = made.graph('y')
    const after = simplify(before)
    for (const operator of ['Swish', 'HardSwish', 'HardSigmoid', 'PRelu', 'LeakyRelu', 'Mish', 'Gelu'])
      expect(operatorsOf(after)).not.toContain(operator)
    expectSameMeaning(before, after)
  })
})

describe('arithmetic with constants', () => {
  it('has no constant divisors and subtrahends, and one constant for several', () => {
    const made = sketch()
    made.node('Sub', ['x', 'three'], 'a')
    made.node('Add', [made.constant('k', [3, 1, 1]), 'a'], 'b')
    made.node('Exp', ['b'], 'e')
    made.node('Div', ['e', 'two'], 'd')
    made.node('Mul', ['six', 'd'], 'm')
    made.node('Tanh', ['m'], 'y')
    const before = made.graph('y')
    const after = simplify(before)
    // The sum is one number per channel, which a depthwise convolution takes; so is the product.
    expect(operatorsOf(after)).toEqual(['Conv', 'Exp', 'Conv', 'Tanh'])
    expectSameMeaning(before, after)
  })

  it('merges constants of one shape, and small ones into large ones', () => {
    const made = new Sketch([1, 6, 2])
    made.node('Mul', ['x', made.constant('a', [], [0.1])], 'p')
    made.node('Mul', ['p', made.constant('b', [1, 6, 2])], 'q')
    made.node('Add', ['q', made.constant('c', [6, 2])], 'y')
    const before = made.graph('y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Mul', 'Add'])
    expectSameMeaning(before, after)
  })

  it('keeps two constants whose product would be larger than both, and values with other readers', () => {
    const made = new Sketch([4, 3])
    made.node('Mul', ['x', made.constant('a', [4, 1])], 'p')
    made.node('Mul', ['p', made.constant('b', [1, 3])], 'q')
    made.node('Mul', ['q', made.constant('c', [])], 'y')
    const before = made.graph('q', 'y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Mul', 'Mul', 'Mul'])
    expect(after.nodes[2].inputs[0]).toBe('q')
    expectSameMeaning(before, after)
  })

  it('keeps a divisor whose reciprocal float32 does not hold', () => {
    const made = new Sketch([3])
    made.node('Div', ['x', made.constant('tiny', [], [1e-40])], 'y')
    expect(operatorsOf(simplify(made.graph('y')))).toEqual(['Div'])
  })

  it('drops additions of 0 and factors of 1', () => {
    const made = new Sketch([2, 3])
    made.node('Add', ['x', made.constant('none', [3], [0, 0, 0])], 'a')
    made.node('Mul', ['a', made.constant('one', [], [1])], 'b')
    made.node('Exp', ['b'], 'y')
    expect(operatorsOf(simplify(made.graph('y')))).toEqual(['Exp'])
  })

  it('computes once what is written twice', () => {
    const made = new Sketch([2, 3])
    made.node('Mul', [made.node('Exp', ['x'], 'a'), made.constant('k', [], [0.5])], 'b')
    made.node('Mul', [made.node('Exp', ['x'], 'c'), made.constant('l', [], [0.5])], 'd')
    made.node('Sub', ['b', made.node('Tanh', ['d'], 't')], 'y')
    const before = made.graph('y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Exp', 'Mul', 'Tanh', 'Sub'])
    expectSameMeaning(before, after)
    expect(readNumbers(after.constants.get('k')!)).toEqual([0.5])
  })

  it('keeps two graph outputs that are alike', () => {
    const made = new Sketch([2, 3])
    made.node('Exp', ['x'], 'y')
    made.node('Exp', ['x'], 'z')
    expect(simplify(made.graph('y', 'z')).outputs).toEqual(['y', 'z'])
  })
})
