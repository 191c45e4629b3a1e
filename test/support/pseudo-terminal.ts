import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rosterProgram } from './run-roster.ts'

/** What a progress bar begins and ends with. */
export const [hideCursor, showCursor] = ['\u001b[?25l', '\u001b[?25h']

/**
 * Runs the real, built command on a terminal, which util-linux makes, and gives all that was seen there. `onSeen` hears
 * of that as it comes, and may type.
 */
export async function onPseudoTerminal(
  environment: Record<string, string>,
  args: readonly string[],
  onSeen: (seen: string, type: (keys: string) => void) => void = () => {},
): Promise<{ code: number | null; terminal: string }> {
  const words = [process.execPath, rosterProgram, ...args].map(word => `'${word}'`)
  // `exec`, or a shell around it would hear of Ctrl-C too, and end with a code of its own.
  const child = spawn(
    'script',
    ['--quiet', '--return', '--command', `exec ${words.join(' ')}`, '/dev/null'],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH, TERM: 'xterm', ...environment },
    },
  )
  let terminal = ''
  child.stdout.on('data', chunk => {
    terminal += String(chunk)
    onSeen(terminal, keys => child.stdin.write(keys))
  })
  await once(child, 'close')
  return { code: child.exitCode, terminal }
}
