import { randomInt } from 'node:crypto'
import { told } from './caller.ts'
import { type Member, sessionsEnded } from './ledger.ts'
import { type Doing, withMember } from './members.ts'

/** An operator ends all sessions of somebody, or shuts the account and opens it again. */
export async function operate(doing: Doing): Promise<void> {
  const nothingIsMailed = ({ reset, newAddress }: Member) => reset !== 'mail is due' && newAddress === null
  await withMember(doing, { what: 'operator', alone: true, isFit: nothingIsMailed }, async member => {
    if (member.reset === 'none') member.reset = 'not wanted'
    member.operatorDue = randomInt(2) === 0 ? 'sign-out' : 'disable'
    await finishOperation(doing, member)
  })
}

/** Does what the operator wants, or what is left of it. What failed is left for later: it can be repeated. */
export async function finishOperation(doing: Doing, member: Member): Promise<string | null> {
  const { caller, ledger, operate: run } = doing
  const { username, operatorDue } = member
  if (operatorDue === null) return null
  const { code, stderr } = await run([operatorDue, username])
  if (code !== 0) return `${operatorDue} ${username} ended with ${code}: ${stderr}`
  sessionsEnded(member, member.sessions)
  if (operatorDue === 'disable') {
    const json = { username, password: member.password.sure }
    const login = await caller.call('POST', '/api/token/obtain/', { json })
    if (login && login.status !== 401)
      ledger.violations.push(`login of ${username}, who is disabled: ${told(login)}`)
    const enabled = await run(['enable', username])
    if (enabled.code !== 0) return `enable ${username} ended with ${enabled.code}: ${enabled.stderr}`
  }
  member.operatorDue = null
  ledger.counts.operations++
  return null
}
