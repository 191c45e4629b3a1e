import type { Duplex } from 'node:stream'
import { EventStoreDBClient } from '@eventstore/db-client'
import { ServerFeatures } from '@eventstore/db-client/dist/Client/ServerFeatures.js'
import { debug } from '@eventstore/db-client/dist/utils/debug.js'

/**
 * `@eventstore/db-client` 6.2.1, kept from ending the process or hanging for ever. What is done here leans on its
 * inside, and can go with a version that needs none of it:
 *
 * - An answer to an append that was given up, by an error on any client in this process, threw.
 * - A stream of appends that the server ended cleanly was written to for ever.
 * - A second failing call, while the cluster was searched in vain for the first, rejected unhandled.
 * - Nothing closed the channel of a client.
 * - An error met while it asked what the server supports was kept, and met by every append from then on.
 */
export type Client = { events: EventStoreDBClient; close(): Promise<void> }

type Channel = { close(): void }
type Inside = {
  handleError(grpcClient: unknown, error: Error): Promise<void>
  getChannel(): Promise<Channel>
  execute(...call: typeof ServerFeatures.createServerFeatures): Promise<ServerFeatures>
  supports(...method: Parameters<ServerFeatures['supports']>): Promise<boolean>
  GRPCStreamCreator(
    grpcClient: unknown,
    name: string,
    create: (client: unknown) => Duplex,
    cache?: object,
  ): () => Promise<Duplex>
}

// These print the connection string with its password, and what is stored.
for (const secretive of [debug.connection, debug.command, debug.command_grpc]) secretive.enabled = false

/** Connects at the first call, not here. Throws an Error without secrets if the URL or a file in it is unusable. */
export function openClient(url: string): Client {
  const events = createClient(url)
  const inside = events as unknown as Inside

  const { handleError, getChannel, execute, GRPCStreamCreator } = inside
  let channel: Promise<Channel> | undefined
  let features: Promise<ServerFeatures> | undefined
  const forgetFeatures = () => {
    features = undefined
  }
  inside.getChannel = () => {
    channel = getChannel()
    return channel
  }
  // After an error it may be another server that answers.
  inside.handleError = (client, error) =>
    handleError(client, error)
      .catch(() => {})
      .finally(forgetFeatures)
  inside.supports = async (...method) => {
    features ??= execute(...ServerFeatures.createServerFeatures)
    try {
      return (await features).supports(...method)
    } catch (error) {
      forgetFeatures()
      throw error
    }
  }
  inside.GRPCStreamCreator = (client, name, create, cache) =>
    GRPCStreamCreator(
      client,
      name,
      name === 'appendToStream' ? grpc => guardedAppends(create(grpc)) : create,
      cache,
    )

  return {
    events,
    async close() {
      await events.dispose().catch(() => {})
      // Not waited for: a node may still be searched for, for minutes.
      channel?.then(opened => opened.close()).catch(() => {})
    },
  }
}

function createClient(url: string): EventStoreDBClient {
  try {
    return EventStoreDBClient.connectionString(url)
  } catch (error) {
    // The client's own messages quote the connection string, except those on files.
    const message = error instanceof Error && /file/i.test(error.message) ? error.message : 'unusable options'
    throw new Error(`cannot use the connection string for EventStoreDB: ${message}`)
  }
}

function guardedAppends(stream: Duplex): Duplex {
  const listeners = stream.listeners('data')
  stream.removeAllListeners('data')
  stream.on('data', answer => {
    try {
      for (const listener of listeners) listener.call(stream, answer)
    } catch {
      // Nobody waits for this answer any more.
    }
  })
  // Writable still, it would take further appends and never answer: as an error it is replaced.
  stream.on('end', () => stream.destroy(new Error('the server ended the stream of appends')))
  return stream
}
