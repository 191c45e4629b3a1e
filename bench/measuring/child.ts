import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { z } from 'zod'
import type { Side } from './comparison.ts'

/** A part of the bench in a process of its own: it sends one message when it is ready, and answers questions. */
export type Child = {
  ready: unknown
  /** Sends `question` and resolves to the answer. One at a time. */
  ask(question: unknown): Promise<unknown>
  stop(): Promise<void>
}

/** Runs a module of the bench beside this process. Throws if it ends before it is ready. */
export async function startChild(
  module: URL,
  options: { args?: readonly string[]; env?: Record<string, string> } = {},
): Promise<Child> {
  const child = fork(module, options.args ?? [], { env: { ...process.env, ...options.env } })
  const exited = once(child, 'exit')
  const answer = () => nextMessage(child, exited, module)
  return {
    ready: await answer(),
    ask(question) {
      child.send(Object(question))
      return answer()
    },
    async stop() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

async function nextMessage(child: ChildProcess, exited: Promise<unknown[]>, module: URL): Promise<unknown> {
  const stop = new AbortController()
  const message = once(child, 'message', { signal: stop.signal })
  const ended = exited.then(([code]) => {
    throw new Error(`expected an answer of ${module.pathname}, but it ended with ${String(code)}`)
  })
  try {
    const [found] = await Promise.race([message, ended])
    return found
  } finally {
    stop.abort()
    message.catch(() => {})
    ended.catch(() => {})
  }
}

/**
 * A child that answers with how many seconds it took for so many `events`. It takes the time it takes, however long a
 * round is.
 */
export function childSide(name: string, child: Child, events: number): Side {
  return { name, measure: async () => events / z.number().parse(await child.ask({})) }
}
