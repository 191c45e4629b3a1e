import { MongoBulkWriteError, MongoError, MongoServerError } from 'mongodb'
import { StoreUnavailable } from '../event-store/event-store.ts'

const duplicateKey = 11000

/** The server did not answer in time. What was asked of it may have been done. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

/** The server was never reached yet, and why. */
export class NoContact extends Error {}

/** The outcome of `work`; throws NoAnswer if there is none within so many milliseconds. */
export function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new NoAnswer(`no answer within ${ms} ms`)), ms)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === duplicateKey
}

/** Which operations of an unordered bulk write met a document that is there already; null if anything else failed. */
export function duplicatesIn(error: unknown): number[] | null {
  if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError()) return null
  const errors = [error.writeErrors].flat()
  // Without any, the connection broke: nothing is known of what was written.
  if (errors.length === 0) return null
  return errors.every(({ code }) => code === duplicateKey) ? errors.map(({ index }) => index) : null
}

/** What the driver says in the words of the port; anything else is as it was. */
export function readStoreError(what: string, address: string, error: unknown): unknown {
  const isKnown =
    error instanceof MongoError ||
    error instanceof NoAnswer ||
    error instanceof NoContact ||
    isOfSocket(error)
  return isKnown ? new StoreUnavailable(`${what} on ${address}: ${describe(error)}`) : error
}

/** The driver lets through as it is what Node says of writing to a connection that was closed meanwhile. */
function isOfSocket(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET')
}

/** One line, without what servers repeat in their messages: commands with the documents in them. */
export function describe(error: unknown): string {
  if (error instanceof MongoServerError) {
    return `${error.name}: ${error.codeName ?? 'code'} ${error.code ?? 'unknown'}`
  }
  if (error instanceof NoContact) return error.message
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
