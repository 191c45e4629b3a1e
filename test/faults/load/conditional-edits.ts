import { told } from './caller.ts'
import type { EditedField, Member } from './ledger.ts'
import { type Doing, pick, unique, withMember } from './members.ts'
import { wasEdited } from './operations.ts'

const rivals: readonly EditedField[] = ['first_name', 'bio']
const isSure = ({ fields }: Member) => rivals.every(name => fields[name].maybe === null)

/** Two edits at once of the state that both have seen: one at most may be done, and what is refused may not be. */
export async function editWhatWasSeen(doing: Doing): Promise<void> {
  const { caller, ledger } = doing
  await withMember(doing, { what: 'conditional edit', alone: true, isFit: isSure }, async member => {
    const { username } = member
    const access = pick(member.sessions)?.access
    if (access === undefined) return
    const path = `/api/users/${username}/`
    const ifMatch = (await caller.call('GET', path, { access }))?.headers.etag
    if (ifMatch === undefined) return
    const edits = rivals.map(field => ({ username, field, value: unique(field) }))
    ledger.rivals.push(edits)
    const replies = await Promise.all(
      edits.map(({ field, value }) => {
        member.fields[field].maybe = value
        return caller.call('PUT', path, { json: { [field]: value }, access, ifMatch })
      }),
    )
    edits.forEach((edit, n) => {
      const reply = replies[n] ?? null
      if (reply?.status === 200) wasEdited(ledger, member, edit.field, edit.value)
      else if (reply?.status === 412) {
        member.fields[edit.field].maybe = null
        ledger.refused.push(edit)
      } else if (reply)
        ledger.violations.push(`edit of ${edit.field} of ${username} as it was seen: ${told(reply)}`)
    })
  })
}
