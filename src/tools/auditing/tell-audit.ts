import { LRUCache } from 'lru-cache'
import { type AuditRow, auditKey } from '../../../projections/audit.ts'
import type { Position } from '../../event-store/event-store.ts'
import { createAccountChanges } from '../../history/account-changes.ts'
import type { Place } from '../../projector/audit-lines.ts'
import {
  type AuditFilter,
  createAuditQueries,
  toAuditCursor,
  toFollowCursor,
} from '../../projector/audit-queries.ts'
import { findUser } from '../find-user.ts'
import { type Shell, Stopped } from '../shell.ts'
import { spelledOut } from '../spelled-out.ts'
import type { Stores } from '../stores.ts'
import { liveRows } from './live-rows.ts'
import { tellRows } from './told-rows.ts'
import { bringUpToDate } from './up-to-date.ts'
import { inWords } from './words.ts'

/** What to tell: `who` and `actor` are names or ids. */
export type Asked = {
  who: string | null
  actor: string | null
  filter: AuditFilter
  oldestFirst: boolean
  limit: number
  after: Place | null
  /** Where an earlier follow was: only what came after that is told, in the order of the log. */
  followAfter: Position | null
  follow: boolean
  asJson: boolean
}

const rowsPerPage = 200
/** Rows that were listed and may come once more, as they happened while the list was read. */
const rowsRemembered = 10_000

/** Prints the rows that are asked for, as far as wanted with those to come. Throws ToolFailure and Stopped. */
export async function tellAudit(shell: Shell, stores: Stores, asked: Asked): Promise<void> {
  const { eventStore, readStore } = stores
  const filter = { ...asked.filter, ...(await usersIn(stores, asked)) }
  const changes = createAccountChanges(eventStore)
  const printed = new LRUCache<string, true>({ max: rowsRemembered })
  const keyOf = ({ stream, revision }: AuditRow) => auditKey(stream, BigInt(revision))

  async function print(rows: readonly AuditRow[]): Promise<void> {
    for (const row of rows) printed.set(keyOf(row), true)
    for (const told of await tellRows(eventStore, changes, rows)) {
      await shell.print(asked.asJson ? `${spelledOut(told)}\n` : inWords(told))
    }
  }

  async function follow(after: Position): Promise<never> {
    let told = after
    const { signal } = shell
    for await (const { rows, checkpoint } of liveRows(eventStore, filter, { after, signal })) {
      await print(rows.filter(row => !printed.has(keyOf(row))))
      told = checkpoint
    }
    throw new Stopped(
      `all that happened until now was told; to go on, add --follow --cursor ${toFollowCursor(told)}`,
    )
  }
  if (asked.followAfter !== null) return follow(asked.followAfter)

  const head = await bringUpToDate(shell, stores)
  const queries = createAuditQueries(readStore)

  async function* pages(direction: 'ascending' | 'descending'): AsyncGenerator<AuditRow[]> {
    let { after, limit: left } = asked
    do {
      const page = { direction, limit: Math.min(rowsPerPage, left), after }
      const { rows, next } = await queries.page(filter, page)
      yield rows
      after = next
      left -= rows.length
      if (after && shell.signal.aborted) throw new Stopped(howToGoOn(after))
    } while (after && left > 0)
    if (after && !asked.follow) shell.note(`there is more: add --cursor ${toAuditCursor(after)}`)
  }

  const isTail = asked.follow && !asked.oldestFirst && asked.after === null
  const howToGoOn = (after: Place) =>
    isTail
      ? 'nothing was told; the same command begins anew'
      : `to go on, add --cursor ${toAuditCursor(after)}`

  async function printLast(): Promise<void> {
    const rows: AuditRow[] = []
    for await (const page of pages('descending')) rows.push(...page)
    await print(rows.reverse())
  }

  if (isTail) await printLast()
  else {
    const direction = asked.oldestFirst || asked.follow ? 'ascending' : 'descending'
    for await (const rows of pages(direction)) await print(rows)
  }
  if (asked.follow) await follow(head)
}

async function usersIn({ eventStore }: Stores, { who, actor }: Asked): Promise<AuditFilter> {
  const idOf = async (nameOrId: string) => (await findUser(eventStore, nameOrId)).userId
  const isUser = actor !== null && actor !== 'operator' && actor !== 'system'
  return {
    ...(who === null ? {} : { user: await idOf(who) }),
    ...(actor === null ? {} : { actor: isUser ? await idOf(actor) : actor }),
  }
}
