/** The module that simulates number formats and products in float32 memory; driven by src/kernels/simulation.ts. */
export { roundBlocks } from './simulation/blocks'
export { encodeGrid } from './simulation/encode-grid'
export { largestPattern, reduceMantissas } from './simulation/operands'
export { packPanels } from './simulation/panels'
export { convolveProducts } from './simulation/products'
export { depthwiseProducts } from './simulation/products-depthwise'
export { quantizeGrid, roundGrid, roundGridLanes } from './simulation/round-grid'
export { decodeCodes, encodeSteps, quantizeSteps, roundSteps, roundStepsLanes } from './simulation/round-steps'
