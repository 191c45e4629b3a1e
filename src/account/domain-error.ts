/** Why a command was refused. The HTTP answer of each is in `http/errors.ts`. */
export type DomainErrorCode =
  | 'no_active_account'
  | 'account_gone'
  | 'token_invalid'
  | 'token_wrong_type'
  | 'session_ended'
  | 'session_unknown'
  | 'reset_token_invalid'
  | 'email_token_invalid'
  | 'email_unknown'
  | 'not_owner'
  | 'key_reused'
  | 'revision_moved'
  | 'invalid_fields'

/** One thing wrong with one field that only the domain can know. */
export type FieldProblem =
  | { field: 'username'; code: 'username_taken' }
  | { field: 'email'; code: 'email_taken' }
  | { field: string; code: 'password_wrong' }
  | { field: string; code: PasswordProblem['code']; similarTo?: SimilarTo }

export type SimilarTo = 'username' | 'first name' | 'last name' | 'email address'
export type PasswordProblem =
  | { code: 'password_too_short' }
  | { code: 'password_too_long' }
  | { code: 'password_too_common' }
  | { code: 'password_entirely_numeric' }
  | { code: 'password_too_similar'; similarTo: SimilarTo }

/** A refusal by the rules of the domain; it knows nothing of HTTP. */
export class DomainError extends Error {
  override readonly name = 'DomainError'
  readonly code: DomainErrorCode
  readonly problems: readonly FieldProblem[]
  constructor(code: DomainErrorCode, problems: readonly FieldProblem[] = []) {
    super(problems.length === 0 ? code : `${code}: ${problems.map(p => `${p.field} ${p.code}`).join(', ')}`)
    this.code = code
    this.problems = problems
  }
}

/** The service cannot take this command now: a full queue or a passed deadline. Worth trying again. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded'
}
