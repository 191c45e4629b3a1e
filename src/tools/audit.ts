import type { Command } from 'commander'
import { auditedTypes } from '../../projections/audit.ts'
import { fromAuditCursor, fromFollowCursor } from '../projector/audit-queries.ts'
import { type Asked, tellAudit } from './auditing/tell-audit.ts'
import { requiredTime } from './given-time.ts'
import { describeTool, exitCodes, type Shell, ToolFailure } from './shell.ts'
import { withStores } from './stores.ts'

type Options = {
  all?: true
  since?: string
  until?: string
  type?: string[]
  actor?: string
  oldestFirst?: true
  limit?: string
  cursor?: string
  follow?: true
  json?: true
}

const rowsBeforeFollowing = 10
const example = `$ npx roster audit egekaya
$ npx roster audit 42 --since 2026-01-01 --until 2026-02-01T12:00:00Z --oldest-first
$ npx roster audit --all --actor operator --type AccountDisabled --type EmailChanged --limit 20
$ npx roster audit --all --follow              the last ten, and then what happens
$ npx roster audit --all --follow --oldest-first   everything, and then what happens`

/** `roster audit`: what happened, to whom, by whom and when, from which request, and what it changed. */
export function addAudit(program: Command, shell: Shell): void {
  const command = program.command('audit [username|id]')
  describeTool(
    command,
    'Tell what happened to a user, or to all: by whom, when, and what it changed.',
    example,
  )
    .option('--all', 'to everyone, instead of one user')
    .option('--since <time>', 'not before: ISO 8601')
    .option('--until <time>', 'not after')
    .option(
      '--type <type>',
      `only events of this type, which may be given again: ${auditedTypes.join(', ')}`,
      collected,
    )
    .option('--actor <username|id>', 'only what this user did; or "operator", or "system"')
    .option('--oldest-first', 'in the order it happened (default: the newest first)')
    .option('--limit <n>', 'so many at most (default: all)')
    .option('--cursor <cursor>', 'go on from where a stop, or the limit, said')
    .option(
      '--follow',
      'the last ten (see --limit), or all from a cursor on; then what happens, until Ctrl-C',
    )
    .action(async (nameOrId: string | undefined, options: Options) => {
      const asked = readOptions(nameOrId, options)
      await withStores(shell, stores => tellAudit(shell, stores, asked))
    })
}

function collected(type: string, before: string[] = []): string[] {
  return [...before, type]
}

/** Throws ToolFailure. */
function readOptions(nameOrId: string | undefined, options: Options): Asked {
  const wrong = (message: string) => new ToolFailure(exitCodes.wrongUse, message)
  if ((nameOrId === undefined) !== (options.all === true)) throw wrong('expected a user, or --all')
  const { type: types, since, until, follow = false, cursor } = options
  const unknown = types?.find(type => !auditedTypes.includes(type))
  if (unknown !== undefined)
    throw wrong(`expected a type out of ${auditedTypes.join(', ')}, found ${unknown}`)
  const isTail = follow && cursor === undefined && !options.oldestFirst
  if (follow && !isTail && options.limit !== undefined)
    throw wrong('expected --follow without --limit where it begins: it tells everything from there')
  const limit = options.limit ?? (isTail ? String(rowsBeforeFollowing) : 'Infinity')
  if (!/^([1-9]\d{0,9}|Infinity)$/.test(limit)) throw wrong(`expected a limit from 1 on, found ${limit}`)
  const after = cursor === undefined ? null : fromAuditCursor(cursor)
  const followAfter = cursor === undefined ? null : fromFollowCursor(cursor)
  if (cursor !== undefined && !after && followAfter === null)
    throw wrong(`expected a cursor that was given out, found ${cursor}`)
  if (followAfter !== null && !follow) throw wrong('expected --follow with a cursor that a follow gave out')
  if (follow && until !== undefined) throw wrong('expected --follow without --until')
  return {
    who: nameOrId ?? null,
    actor: options.actor ?? null,
    filter: {
      ...(types ? { types } : {}),
      ...(since === undefined ? {} : { since: requiredTime(since) }),
      ...(until === undefined ? {} : { until: requiredTime(until) }),
    },
    oldestFirst: options.oldestFirst === true,
    limit: Number(limit),
    after,
    followAfter,
    follow,
    asJson: options.json === true,
  }
}
