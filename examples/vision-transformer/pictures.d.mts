import type { DataSet } from '../../src/data/index.ts'

export function openPictures(folder: string, use: 'calibration' | 'test', count: number): Promise<DataSet>
