import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'chai'

/** What a process that lowered its priority is then, if it had this much more than ours before. */
async function lowered(more: number): Promise<{ niceness: number; policy: number }> {
  const module = new URL('../../src/tools/lower-priority.ts', import.meta.url)
  const script = `import { existsSync, readFileSync } from 'node:fs'
    import { getPriority } from 'node:os'
    import { lowerPriority } from ${JSON.stringify(module.href)}
    lowerPriority()
    const stat = existsSync('/proc/self/stat') ? readFileSync('/proc/self/stat', 'utf8') : ''
    const policy = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38] ?? 0)
    console.log(JSON.stringify({ niceness: getPriority(), policy }))`
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '--eval', script]
  const { stdout } = await promisify(execFile)('nice', ['-n', String(more), ...node])
  return JSON.parse(stdout)
}

/** Of sched(7). */
const [usual, idle] = [0, 5]

describe('the priority of a tool', () => {
  for (const more of [0, 15]) {
    it(`is lowered as far as can be, from ${more} more than ours`, async () => {
      const canBeIdle = spawnSync('chrt', ['-V']).error === undefined
      expect(await lowered(more)).to.deep.equal({ niceness: 19, policy: canBeIdle ? idle : usual })
    })
  }
})
