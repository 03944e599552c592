export function buildPage(out: string): Promise<void>
