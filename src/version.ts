/** Version of the package, written into every program. A test holds it equal to package.json. */
export const VERSION = '0.1.0'
