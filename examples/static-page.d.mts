export function bundlePage(folder: string, out: string, scripts: readonly string[]): Promise<void>
export function portOf(text: string, from?: string): number
export function serveFolder(folder: string, port: number): Promise<{ readonly address: string; close(): void }>
