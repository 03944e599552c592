export const CHROMIUM: string
export function chromiumWords(profile: string): string[]

export interface Served {
  readonly content: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

export function browse<Answer>(
  binary: string,
  wordsFor: (profile: string, url: string) => Promise<string[]>,
  contentOf: (path: string) => Served | Promise<Served>,
  places: readonly string[],
  options?: { readonly milliseconds?: number; readonly afterStart?: (profile: string) => Promise<void> },
): Promise<{ engine: string; answers: Record<string, Answer>; complaints: string }>
