import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { runCompose, variablesIn } from './run-compose.ts'

/**
 * `docker compose up` without Docker: `MONGODB_URL=mongodb://… node --import tsx test/support/compose/main.ts`, on the
 * built program. Takes `.env` if there is one, else a secret for this run. Ends on SIGTERM and SIGINT.
 */
const { MONGODB_URL: mongodbUrl } = process.env
if (mongodbUrl === undefined) throw new Error('expected MONGODB_URL to be set: see .ci/services')
const env = await readFile('.env', 'utf8').catch(() => `JWT_SECRET=${randomBytes(32).toString('hex')}`)
const composition = await runCompose({ variables: variablesIn(env), mongodbUrl, onItsPorts: true })
console.log(`the API: ${composition.urls('api').join(' ')}`)
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void composition.stop())
