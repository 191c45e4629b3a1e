// Loaded into each process of Roster before it starts: SIGUSR2 collects garbage, so that what is still held can be told
// from what only lies about.
const { setFlagsFromString } = require('node:v8')
const { runInNewContext } = require('node:vm')

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
process.on('SIGUSR2', () => collect())
