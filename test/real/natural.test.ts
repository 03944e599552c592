/** What `npm run real` feeds networks without labels: mel spectrograms, sound, boxes, and which samples are whose. */
import { describe, expect, it } from 'vitest'
import { bestAnchors, decoders, overlap } from '../../bench/real/boxes.mjs'
import { createMelSpectrogram } from '../../bench/real/mel.mjs'
import { type ClipSet, type Clips, type NaturalNetwork, naturalNetworks } from '../../bench/real/natural.mjs'
import { doubleRate, joined, readWav } from '../../bench/real/sound.mjs'
import { parseDataCard } from '../../src/data/card.ts'
import { splitIndices } from '../../src/data/split.ts'

const tone = (hertz: number, rate: number, length: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / rate))

describe('createMelSpectrogram', () => {
  const settings = { rate: 16000, length: 321, hop: 160, bands: 40 }

  it('has a frame for every hop that fits', () => {
    const mel = createMelSpectrogram(settings)
    expect(mel(new Float64Array(1600)).map((frame) => frame.length)).toEqual(new Array<number>(10).fill(40))
    expect(createMelSpectrogram({ ...settings, length: 320 })(new Float64Array(1600)).length).toBe(11)
  })

  it('puts a tone into the band around it, with the square of its amplitude', () => {
    const mel = createMelSpectrogram(settings)
    const loudest = [300, 1000, 5000].map((hertz) => {
      const frame = mel(tone(hertz, 16000, 3200))[8] as Float64Array
      return frame.indexOf(Math.max(...frame))
    })
    // Slaney's scale has 45.25 mel up to 8 kHz: band b peaks at (b + 1) × 45.25 / 41.
    const mels = [4.5, 15, 15 + (27 * Math.log(5)) / Math.log(6.4)]
    expect(loudest).toEqual(mels.map((value) => Math.round((value * 41) / 45.25) - 1))
    const [soft, loud] = [1, 3].map((factor) =>
      mel(tone(1000, 16000, 3200).map((value) => factor * value))[8]?.reduce((sum, value) => sum + value, 0),
    ) as [number, number]
    expect(loud / soft).toBeCloseTo(9, 9)
  })
})

describe('sound', () => {
  it('doubles the rate: old samples stay, new ones lie between', () => {
    const [slow, fast] = [tone(700, 8000, 400), tone(700, 16000, 800)]
    const found = doubleRate(slow)
    expect(found.filter((_, i) => i % 2 === 0)).toEqual(slow)
    for (let i = 100; i < 700; i++) expect(Math.abs((found[i] as number) - (fast[i] as number))).toBeLessThan(1e-3)
  })

  it('reads 16-bit mono files and refuses others', () => {
    const wav = (channels: number): Uint8Array => {
      const view = new DataView(new ArrayBuffer(48))
      const text = (at: number, value: string) =>
        [...value].forEach((character, i) => void view.setUint8(at + i, character.charCodeAt(0)))
      text(0, 'RIFF')
      text(8, 'WAVEfmt ')
      view.setUint32(16, 16, true)
      view.setUint16(20, 1, true)
      view.setUint16(22, channels, true)
      view.setUint32(24, 16000, true)
      view.setUint16(34, 16, true)
      text(36, 'data')
      view.setUint32(40, 4, true)
      view.setInt16(44, -16384, true)
      view.setInt16(46, 8192, true)
      return new Uint8Array(view.buffer)
    }
    expect([...readWav(wav(1), 'a.wav')]).toEqual([-0.5, 0.25])
    expect(() => readWav(wav(2), 'a.wav')).toThrow(/a\.wav: it has format 1, 2 channels/)
    expect(() => readWav(new Uint8Array(50), 'a.wav')).toThrow(/no WAV file/)
    expect([...joined([Float64Array.of(1), Float64Array.of(2, 3)])]).toEqual([1, 2, 3])
  })
})

describe('boxes', () => {
  it('measures overlaps', () => {
    expect(overlap([0, 0, 2, 2], [0, 0, 2, 2])).toBe(1)
    expect(overlap([0, 0, 2, 2], [1, 0, 3, 2])).toBeCloseTo(1 / 3, 12)
    expect(overlap([0, 0, 1, 1], [1, 1, 2, 2])).toBe(0)
    expect(overlap([2, 2, 0, 0], [0, 0, 2, 2])).toBe(0)
    expect(bestAnchors([0.5, 0.9, 0.5, 0.1], 3)).toEqual([1, 0, 2])
  })

  it('decodes the box of an anchor', () => {
    const rows = new Float32Array(3549 * 85)
    // The cell in column 3 of row 1 with stride 16 stands behind 52 × 52 cells of stride 8.
    const anchor = 52 * 52 + 26 + 3
    rows.set([0.5, 0.25, Math.log(2), 0, 0.5, 0.1, 0.8], anchor * 85)
    const { scores, boxes } = decoders.yolox(new Map([['output', rows]]))
    expect([scores.length, bestAnchors(scores, 1)]).toEqual([3549, [anchor]])
    expect(scores[anchor]).toBeCloseTo(0.4, 6)
    expect(Array.from(boxes[anchor] as Float64Array, (value) => Number(value.toFixed(4)))).toEqual([40, 12, 72, 28])

    const palm = decoders.palm(
      new Map([
        ['Identity', new Float32Array(2016 * 18).fill(4)],
        ['Identity_1', new Float32Array(2016)],
      ]),
    )
    expect([palm.boxes.length, palm.scores[0]]).toEqual([2016, 0.5])
    // Anchor 1152 is the first of stride 16: its centre is (8, 8).
    expect(palm.boxes.filter((_, i) => [0, 1, 2, 1152].includes(i)).map((box) => [...box])).toEqual([
      [6, 6, 10, 10],
      [6, 6, 10, 10],
      [14, 6, 18, 10],
      [10, 10, 14, 14],
    ])
  })
})

describe('naturalNetworks', () => {
  it('has 32 samples for calibration and 16 others for the test', () => {
    const isClips = (part: NaturalNetwork['test']): part is ClipSet => 'clips' in part
    const named = ({ file, speaker, seconds }: Clips) => seconds.map((at) => `${file} ${speaker ?? ''} ${at}`)
    const samples = (part: NaturalNetwork['test']): string[] => {
      if (isClips(part)) return part.clips.flatMap(named)
      return splitIndices(parseDataCard(part, 'card').split, 500).map(String)
    }
    for (const { model, calibration, test } of naturalNetworks) {
      const [used, unused] = [new Set(samples(calibration)), new Set(samples(test))]
      expect([model, used.size, unused.size, [...used].some((sample) => unused.has(sample))]).toEqual([
        model,
        32,
        16,
        false,
      ])
    }
  })
})
