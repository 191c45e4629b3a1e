import { field, told } from './caller.ts'
import { type Member, passwordWasChanged } from './ledger.ts'
import { type Doing, newAddress, newPassword, pick, withMember } from './members.ts'

/** A mail that is due would be superseded. */
const nothingIsMailed = ({ reset, newAddress }: Member) => reset !== 'mail is due' && newAddress === null

export async function changePassword(doing: Doing): Promise<void> {
  const { caller, ledger } = doing
  await withMember(doing, { what: 'password', alone: true, isFit: nothingIsMailed }, async member => {
    const session = pick(member.sessions)
    if (!session) return
    wantsNoReset(member)
    const password = newPassword()
    member.password.maybe = password
    member.changingIn = session
    const json = { old_password: member.password.sure, new_password: password }
    const reply = await caller.call('POST', '/api/password/change/', { json, access: session.access })
    if (!reply) return
    if (reply.status === 200) passwordWasChanged(ledger, member, password, session)
    else ledger.violations.push(`change of the password of ${member.username}: ${told(reply)}`)
  })
}

/** Asks for another address, waits for the mail, confirms by its token. */
export async function changeAddress(doing: Doing): Promise<void> {
  const { caller, ledger } = doing
  await withMember(doing, { what: 'address', alone: true, isFit: nothingIsMailed }, async member => {
    const session = pick(member.sessions)
    if (!session) return
    wantsNoReset(member)
    const email = newAddress()
    const json = { password: member.password.sure, email }
    const reply = await caller.call('POST', '/api/email/change/', { json, access: session.access })
    if (!reply) return
    if (reply.status !== 200) {
      ledger.violations.push(`change of the address of ${member.username}: ${told(reply)}`)
      return
    }
    member.newAddress = email
    await confirmAddress(doing, member)
  })
}

/** The second half of a change of the address, which can be repeated; nothing happens if the mail does not come in time. */
export async function confirmAddress(
  { caller, ledger, outbox, giveUp }: Doing,
  member: Member,
): Promise<void> {
  const { newAddress } = member
  if (newAddress === null) return
  const token = await outbox.token(newAddress, giveUp)
  if (token === null) return
  const reply = await caller.call('POST', '/api/email/confirm/', { json: { token }, key: newAddress })
  if (!reply) return
  if (reply.status !== 200 || field(reply, 'status') !== 'OK') {
    ledger.violations.push(`address of ${member.username} confirmed by the token mailed: ${told(reply)}`)
    return
  }
  member.address = newAddress
  member.newAddress = null
  member.addressChanges++
  ledger.counts.addressChanges++
}

/** One that was asked for without an answer is worth nothing from now on, and its mail may be there. */
function wantsNoReset(member: Member): void {
  if (member.reset === 'none') member.reset = 'not wanted'
}
