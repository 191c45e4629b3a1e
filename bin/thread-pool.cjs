'use strict'

// The size of the thread pool is read when the pool starts, and an ES module's loader starts it: so this must be
// CommonJS, and the first thing that runs. Password hashes keep as many threads busy as there are cores; the others
// are for files and names of hosts, which must not wait behind them.
const { availableParallelism } = require('node:os')

const threadsForTheRest = 2

process.env.UV_THREADPOOL_SIZE ||= String(availableParallelism() + threadsForTheRest)
