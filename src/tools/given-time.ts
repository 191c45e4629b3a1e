import { parseIsoTime } from '../iso-time.ts'
import { exitCodes, ToolFailure } from './shell.ts'

/** A time that was given to a tool, in UTC. Throws ToolFailure; `or` says what else would have been right. */
export function requiredTime(text: string, or = ''): string {
  const time = parseIsoTime(text)
  if (time !== null) return time
  throw new ToolFailure(exitCodes.wrongUse, `expected a time in ISO 8601${or}, found ${text}`)
}
