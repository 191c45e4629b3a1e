import { randomInt } from 'node:crypto'
import { z } from 'zod'
import { type Reply, told } from './caller.ts'
import { type Ledger, type Member, type Session, sessionsEnded } from './ledger.ts'
import { type Doing, pick, withMember } from './members.ts'

const claims = z.object({ sid: z.string() })

/** Logs out, ends one session from another, or all but one. */
export async function endSessions(doing: Doing): Promise<void> {
  const { caller, ledger } = doing
  await withMember(doing, { what: 'sessions', alone: true }, async member => {
    const [asking, other] = [pick(member.sessions), pick(member.sessions)]
    if (!asking || !other) return
    const { access } = asking
    switch (randomInt(3)) {
      case 0: {
        const reply = await caller.call('POST', '/api/token/revoke/', { json: { refresh: other.refresh } })
        return noteEnd(ledger, member, [other], reply, 200)
      }
      case 1: {
        const reply = await caller.call('DELETE', `/api/sessions/${idOf(other)}/`, { access })
        return noteEnd(ledger, member, [other], reply, 204)
      }
      default: {
        const others = member.sessions.filter(session => session !== asking)
        return noteEnd(ledger, member, others, await caller.call('DELETE', '/api/sessions/', { access }), 204)
      }
    }
  })
}

function noteEnd(
  ledger: Ledger,
  member: Member,
  ended: readonly Session[],
  reply: Reply,
  expected: number,
): void {
  if (reply?.status === expected) {
    sessionsEnded(member, ended)
    ledger.counts.endings++
    return
  }
  // They may go on or not: whoever wanted their end asks for it again.
  member.sessions = member.sessions.filter(session => !ended.includes(session))
  member.ending.push(...ended)
  if (reply) ledger.violations.push(`end of sessions of ${member.username}: ${told(reply)}`)
}

/** As a client has it that looks into its access token. */
function idOf({ access }: Session): string {
  const [, payload = ''] = access.split('.')
  return claims.parse(JSON.parse(Buffer.from(payload, 'base64url').toString())).sid
}
