/** Names: missing, repeated, too long, and those that mean something to a terminal, an object or a file system. */
import { accepted, group, refused } from './hostile-case.ts'
import { file, floats, honestGraph, honestResult, net, node, value } from './sketch.ts'

/** The honest network with its inner value, or its node, called `name`. */
const inner = (name: string) => () =>
  file({ ...honestGraph, node: [node('Add', ['x', 'w'], [name]), node('Relu', [name], ['y'])] })
const nodeNamed = (name: string) => () =>
  file({ ...honestGraph, node: honestGraph.node.map((one) => ({ ...one, name })) })
/** A network that must be refused, where the message has to say the name. */
const wrongNamed = (name: string) => () => net([{ ...node('NoSuchOperator', ['x'], ['y']), name }])
const missingValue = (name: string) => () => net([node('Relu', [name], ['y'])])

/** Names that are legal, however strange, and must neither break anything nor be changed in meaning. */
const STRANGE: readonly (readonly [string, string])[] = [
  ['proto', '__proto__'],
  ['constructor', 'constructor'],
  ['prototype', 'prototype'],
  ['to-string', 'toString'],
  ['has-own', 'hasOwnProperty'],
  ['value-of', 'valueOf'],
  ['path', '../../../etc/passwd'],
  ['absolute', '/dev/zero'],
  ['windows', 'C:\\Windows\\win.ini'],
  ['html', '<img src=x onerror=alert(1)>'],
  ['newline', 'a\nb'],
  ['nul', 'a\u0000b'],
  ['bidi', 'a\u202eb'],
  ['option', '--help'],
]

/** Names that steer a terminal, which must not reach it as they are. */
const STEERING: readonly (readonly [string, string])[] = [
  ['ansi', '\u001b[2J\u001b[31mred'],
  ['title', '\u001b]0;owned\u0007'],
  ['csi', '\u009b2J'],
  ['carriage', 'good\rbad'],
  ['backspace', 'bad\b\b\bgood'],
  ['bidi', '\u202egnp.exe'],
  ['separator', 'a\u2028b'],
]

const LONG = 'n'.repeat(10_000_000)

export const nameCases = group('names', [
  ...STRANGE.map(([name, text]) =>
    accepted(`value-${name}`, `a value called ${JSON.stringify(text)}`, inner(text), honestResult),
  ),
  ...STRANGE.slice(0, 6).map(([name, text]) =>
    accepted(`node-${name}`, `all nodes called ${JSON.stringify(text)}`, nodeNamed(text), honestResult),
  ),
  ...STEERING.map(([name, text]) =>
    refused(
      `steer-node-${name}`,
      `an unknown operator at a node with ${name} characters`,
      'NoSuchOperator',
      wrongNamed(text),
    ),
  ),
  ...STEERING.map(([name, text]) =>
    refused(`steer-value-${name}`, `a missing value with ${name} characters`, 'no input', missingValue(text)),
  ),
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty'].map((text) =>
    refused(`missing-${text}`, `a value called ${text} that nothing gives`, text, missingValue(text)),
  ),
  ...['__proto__', 'constructor', 'toString', 'valueOf'].map((text) =>
    refused(`operator-${text}`, `an operator called ${text}`, text, () => net([node(text, ['x'], ['y'])])),
  ),
  ...['__proto__', 'constructor', 'toString'].map((text) =>
    refused(`attribute-${text}`, `an attribute called ${text}`, text, () =>
      net([{ ...node('Relu', ['x'], ['y']), attribute: [{ name: text, type: 2, i: 1n }] }]),
    ),
  ),
  refused('long-value', 'a value name of 10 MB', ['nameLength', 'characters'], inner(LONG)),
  refused('long-node', 'a node name of 10 MB', ['nameLength', 'characters'], nodeNamed(LONG)),
  refused('long-operator', 'an operator name of 10 MB', ['operator', 'nnn'], () => net([node(LONG, ['x'], ['y'])])),
  refused('long-input', 'an input name of 10 MB', ['nameLength', 'characters'], () =>
    file({ ...honestGraph, input: [value(LONG, [1, 4])] }),
  ),
  refused('long-axis', 'a symbolic axis with a name of 10 MB', ['nameLength', 'characters', 'axis'], () =>
    file({ ...honestGraph, input: [value('x', [1, LONG])] }),
  ),
  refused('long-domain', 'a domain of 10 MB', ['operator', 'domain', 'nnn'], () =>
    net([{ ...node('Relu', ['x'], ['y']), domain: LONG }]),
  ),
  refused('many-long', '30 unknown operators with names of 100,000 characters', 'operators', () =>
    net(Array.from({ length: 30 }, (_, i) => node(`${i}${'Q'.repeat(100_000)}`, ['x'], [`v${i}`]))),
  ),
  refused('input-twice', 'two inputs of one name', 'twice', () =>
    file({ ...honestGraph, input: [value('x', [1, 4]), value('x', [1, 4])] }),
  ),
  refused('initializer-twice', 'two initializers of one name', 'twice', () =>
    file({ ...honestGraph, initializer: [floats('w', [4], [1, 2, 3, 4]), floats('w', [4], [5, 6, 7, 8])] }),
  ),
  refused('output-twice', 'an output listed twice', 'twice', () =>
    file({ ...honestGraph, output: [value('y', [1, 4]), value('y', [1, 4])] }),
  ),
  refused('value-twice', 'two nodes that give one value', 'twice', () =>
    net([node('Relu', ['x'], ['y']), node('Abs', ['x'], ['y'])]),
  ),
  refused('output-of-node-twice', 'a node that gives one value twice', 'twice', () =>
    net([node('Split', ['x'], ['y', 'y'], { axis: 1n })], [], [1, 4], [1, 2]),
  ),
  refused('overwrites-input', 'a node that gives the input', ['twice', '"x"'], () =>
    net([node('Relu', ['x'], ['x']), node('Relu', ['x'], ['y'])]),
  ),
  refused('overwrites-initializer', 'a node that gives an initializer', ['twice', '"w"'], () =>
    net([node('Relu', ['x'], ['w']), node('Relu', ['w'], ['y'])], [floats('w', [4], [1, 2, 3, 4])]),
  ),
  refused('input-unnamed', 'an input without a name', 'name', () =>
    file({ ...honestGraph, input: [value('', [1, 4])] }),
  ),
  refused('output-unnamed', 'an output without a name', 'name', () =>
    file({ ...honestGraph, output: [value('', [1, 4])] }),
  ),
  refused('initializer-unnamed', 'an initializer without a name', 'name', () =>
    file({ ...honestGraph, initializer: [floats('', [4], [1, 2, 3, 4])] }),
  ),
  refused('operator-unnamed', 'a node without an operator', ['operator', 'ai.onnx'], () =>
    net([node('', ['x'], ['y'])]),
  ),
  refused('own-form', "the graph's own fused form in a file", 'dyadic', () => net([node('dyadic.Conv', ['x'], ['y'])])),
])
