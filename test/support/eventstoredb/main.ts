import { startEventStoreDB } from './server.ts'

/** The server as a process of its own: `node --import tsx main.ts [port]`. Prints its URL; ends on SIGTERM. */
const server = await startEventStoreDB({ port: Number(process.argv[2] ?? 0) })
process.stdout.write(`${server.url}\n`)
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void server.stop())
