/** The manifest of a program: what the runtime needs, and what `verify` and reports read. */
import type { Certificate } from '../lower/certificate.ts'
import type { Port, PortFormat } from '../lower/integer-graph.ts'
import type { Interval } from '../num/interval.ts'

/** A port with its place in memory. Real value = scale[c] × (integer − zeroPoint[c]). */
export interface ProgramPort {
  readonly name: string
  /** Shape in the order in which the integers lie. */
  readonly shape: readonly number[]
  readonly format: PortFormat
  readonly scale: readonly number[]
  readonly zeroPoint: readonly number[]
  /** Integers that an input may hold, where they are fewer than the format's. */
  readonly range?: Interval
  /** Of an input: the output whose integers it takes at the next step of a sequence. At the first step they mean zero. */
  readonly state?: string
  /** Axis of `shape` that `scale` and `zeroPoint` run along. */
  readonly channelAxis: number
  /** Present where the caller hands over an image in another order than ONNX's. */
  readonly layout?: 'nhwc'
  /** Byte address in the program's memory. */
  readonly offset: number
  readonly count: number
}

export interface SelfTest {
  /** Seed of the generated inputs (`program/self-test.ts`). */
  readonly seed: number
  readonly samples: number
  /** SHA-256 over all outputs of all samples, from the scalar meaning. */
  readonly sha256: string
}

/** What stands in the module's section `dyadic.manifest`, as JSON. */
export interface ProgramManifest {
  readonly schema: 1
  readonly name: string
  /** Version of the compiler. */
  readonly dyadic: string
  readonly inputs: readonly ProgramPort[]
  readonly outputs: readonly ProgramPort[]
  readonly memory: {
    readonly bytes: number
    readonly constantBytes: number
    readonly arenaBytes: number
    readonly weightBytes: number
  }
  /** SHA-256 of the plan's text. */
  readonly plan: string
  readonly selfTest: SelfTest
  readonly certificate: Certificate
  readonly notes?: Readonly<Record<string, unknown>>
}

/** Scales and zero points one for one: one entry each, or one per channel. */
function sameLength({ scale, zeroPoint }: Port): Pick<ProgramPort, 'scale' | 'zeroPoint'> {
  const channels = Math.max(scale.length, zeroPoint.length)
  const fill = (list: readonly number[]): readonly number[] =>
    list.length === channels ? list : new Array<number>(channels).fill(list[0])
  return { scale: fill(scale), zeroPoint: fill(zeroPoint) }
}

/** Ports with their addresses; an NHWC port's shape is given in that order. */
export function portsOf(ports: readonly Port[], offsets: ReadonlyMap<string, number>): ProgramPort[] {
  return ports.map((port) => {
    const [batch, channels, ...spatial] = port.shape
    const last = port.layout === 'nhwc' && port.shape.length > 2
    const shape = last ? [batch, ...spatial, channels] : port.shape
    return {
      name: port.name,
      shape,
      format: port.format,
      ...sameLength(port),
      ...(port.range && { range: port.range }),
      ...(port.state !== undefined && { state: port.state }),
      channelAxis: last ? shape.length - 1 : (port.channelAxis ?? 1),
      ...(last && { layout: 'nhwc' as const }),
      offset: offsets.get(port.name) as number,
      count: port.shape.reduce((product, size) => product * size, 1),
    }
  })
}
