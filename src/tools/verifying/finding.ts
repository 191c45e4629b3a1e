import { printable } from '../spelled-out.ts'

/** Something that is not as the log says it should be. Tells where, and never what stands there. */
export type Finding =
  | { kind: 'missing' | 'extra' | 'unfindable'; projection: string; key: string; stream: string }
  | { kind: 'stray'; projection: string; index: string; key: string }
  | { kind: 'differing'; projection: string; key: string; stream: string; paths: string[] }
  | {
      kind: 'stale' | 'misplaced' | 'parked'
      projection: string
      key: string | null
      stream: string
      problem: string
    }
  | { kind: 'unverified'; projection: string; problem: string }
  | { kind: 'gap' | 'duplicate id' | 'time goes back'; stream: string; revision: string; problem: string }
  | { kind: 'unreadable'; stream: string; revision: string; problem: string }
  | { kind: 'name'; stream: string; problem: string }

export type Report = (finding: Finding) => Promise<void>

/** One line for a person, on any terminal. */
export function inWords(finding: Finding): string {
  return printable(told(finding))
}

function told(finding: Finding): string {
  switch (finding.kind) {
    case 'missing':
    case 'extra':
      return `${finding.projection} ${finding.key}: ${finding.kind}, by ${finding.stream}`
    case 'unfindable':
      return `${finding.projection} ${finding.key}: not found by all that it is to be found by`
    case 'stray':
      return `${finding.projection} ${finding.key}: in the index ${finding.index} by what it is not to be found by`
    case 'differing':
      return `${finding.projection} ${finding.key}: differs in ${finding.paths.join(', ')}`
    case 'stale':
    case 'misplaced':
    case 'parked':
      return `${finding.projection} ${finding.key ?? finding.stream}: ${finding.kind}: ${finding.problem}`
    case 'unverified':
      return `${finding.projection}: ${finding.problem}`
    case 'name':
      return `${finding.stream}: ${finding.problem}`
    default:
      return `${finding.stream} at ${finding.revision}: ${finding.kind}: ${finding.problem}`
  }
}
