// Loaded into each process of Roster before it starts, with the --expose-gc of `npm start`: SIGUSR2 collects garbage, so
// that what is still held can be told from what only lies about.
process.on('SIGUSR2', () => globalThis.gc())
