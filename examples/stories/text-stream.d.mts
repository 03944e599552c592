import type { StoryTokenizer } from './tokenizer.mjs'

export function createTextStream(tokenizer: StoryTokenizer): (id: number) => string
