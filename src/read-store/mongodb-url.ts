import { MongoClient, type MongoClientOptions } from 'mongodb'

const expectedForm =
  'expected mongodb://[user:password@]host[:port][,…][/database][?options], user and password percent-encoded'
const defaultDatabase = 'roster'

/** `address`: the hosts, fit for logs and errors. */
export type OpenedClient = { client: MongoClient; address: string; database: string }

/**
 * A client that is not connected yet. Throws an Error that names what is wrong with the connection string, and never a
 * part of it that may be secret: the driver's own errors repeat the whole of it.
 */
export function clientFor(url: string, options: MongoClientOptions): OpenedClient {
  const [, rest = ''] = /^mongodb(?:\+srv)?:\/\/(.*)$/s.exec(url.trim()) ?? []
  const afterCredentials = rest.slice(rest.lastIndexOf('@') + 1)
  const database = /^[^/?]+\/([^/?]+)/.exec(afterCredentials)?.[1]
  const client = createClient(url.trim(), options)
  const { hosts, srvHost } = client.options
  return {
    client,
    address: srvHost ?? hosts.map(String).join(','),
    database: database === undefined ? defaultDatabase : decodeURIComponent(database),
  }
}

function createClient(url: string, options: MongoClientOptions): MongoClient {
  try {
    return new MongoClient(url, options)
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    const unknownOptions = /^options? [\w, ]+ (?:is|are) not supported$/i.test(message)
    throw new Error(
      `${expectedForm}; the MongoDB driver refuses what was found${unknownOptions ? `: ${message}` : ''}`,
    )
  }
}
