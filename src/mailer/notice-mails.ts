import { layOutMail, type MailContent, readableTime } from './mail-layout.ts'

/** Tells whoever can read it what happened to an account, and when. */
type Notice = { username: string; at: string }

const ifItWasYou = 'If it was you, you need not do anything.'

/** For the owner, after the password was changed by who knew the old one. */
export function passwordChangedMail({ username, at }: Notice): MailContent {
  return layOutMail({
    subject: 'Your password was changed',
    username,
    intro: [`the password of your account was changed on ${readableTime(at)}.`],
    outro: [
      'Everywhere else, your account was logged out.',
      ifItWasYou,
      'If not, have a new password mailed to you at once.',
    ],
  })
}

/** For the old address, which says nothing any more: neither may the mail say what the new one is. */
export function emailChangedMail({ username, at }: Notice): MailContent {
  return layOutMail({
    subject: 'Your account has another e-mail address',
    username,
    intro: [`your account has another e-mail address since ${readableTime(at)}.`, 'No more mail comes here.'],
    outro: [ifItWasYou, 'If not, tell those who run the service.'],
  })
}

/** For the owner of an address that somebody gave as theirs, who was not told that it is taken. */
export function emailWantedMail({
  username,
  at,
  for: what,
}: Notice & { for: 'registration' | 'change' }): MailContent {
  return layOutMail({
    subject: 'You have an account already',
    username,
    intro: [
      what === 'registration'
        ? 'somebody registered with this address'
        : 'somebody gave this address for another account',
      `on ${readableTime(at)}. It is that of your account`,
      'and stays so: the other account did not get it.',
    ],
    outro: [
      'If it was you, log in with your username, or have a new',
      'password mailed to you. If not, you need not do anything.',
    ],
  })
}

/** For the owner, when a copied refresh token was used and its session ended for that. */
export function sessionStolenMail(notice: Notice & { device: string; addressRange: string }): MailContent {
  const { username, at, device, addressRange } = notice
  return layOutMail({
    subject: 'A session of yours was ended',
    username,
    intro: [
      'somebody used a copy of a token of your account',
      `on ${readableTime(at)}. That session was ended.`,
      ...(addressRange === '' ? [] : ['', `It was last used from ${addressRange}`]),
      ...(device === '' ? [] : [`by ${shortened(device)}`]),
    ],
    outro: [
      'Your other sessions go on. Log in again where you were',
      'logged out. If the device is not yours, or is lost,',
      'change your password.',
    ],
  })
}

function shortened(device: string): string {
  const characters = [...device]
  return characters.length <= 60 ? device : `${characters.slice(0, 59).join('')}…`
}
