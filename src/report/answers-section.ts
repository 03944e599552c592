/** What the float network and the program answer to the same samples: counts, and some of them one by one. */
import { escapeText, nameElement, plainName } from './escape.ts'
import { integerText, shareText } from './quantities.ts'

/** The class with the largest score. */
export interface Answer {
  readonly index: number
  readonly score: number
}

export interface ShownAnswer {
  /** The sample. */
  readonly name: string
  /** A data URI. */
  readonly picture?: string
  readonly label?: number
  readonly float: Answer
  readonly integer: Answer
}

export interface SampleAnswers {
  readonly data: string
  readonly samples: number
  /** Samples with the same answer. */
  readonly agreed: number
  /** Right answers, where the samples have labels. */
  readonly correct?: { readonly float: number; readonly integer: number }
  readonly shown: readonly ShownAnswer[]
  /** Names of the classes by index; without them classes are numbers. */
  readonly classNames?: readonly string[]
}

/** A section of a page. */
export function answersSection({ data, samples, agreed, correct, shown, classNames }: SampleAnswers): string {
  const className = (index: number): string => plainName(classNames?.[index] ?? `class ${index}`)
  const answer = (who: string, { index, score }: Answer): string =>
    `<span>${who}: <b>${className(index)}</b> ${score.toFixed(3).replace('-', '−')}</span>`
  const figures = shown.map(({ name, picture, label, float, integer }) => {
    const image = picture === undefined ? '' : `<img alt="${plainName(name)}" src="${escapeText(picture)}">`
    const truth = label === undefined ? '' : `<span>label: ${className(label)}</span>`
    return `<div class="sample${float.index === integer.index ? '' : ' other'}">${image}${nameElement(name)}${truth}${answer('float', float)}${answer('integer', integer)}</div>`
  })
  const right =
    correct === undefined
      ? ''
      : ` Right: float ${integerText(correct.float)}, integer ${integerText(correct.integer)} of ${integerText(samples)}.`
  return `<h2>Answers</h2>
<p>On ${integerText(samples)} sample${samples === 1 ? '' : 's'} of ${nameElement(data)} the program answers as the float network on <data data-figure="agreed" value="${agreed}">${integerText(agreed)}</data>, ${shareText(agreed / samples)}.${right} Scores are in real units; a red frame marks where the answers differ.</p>
<div class="samples">
${figures.join('\n')}
</div>`
}
