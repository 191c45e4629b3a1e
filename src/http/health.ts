import { json } from './exchange.ts'

/** The process is up and answers. Whether its stores do is told on the operations port. */
export const showHealth = () => json(200, { status: 'ok' })
