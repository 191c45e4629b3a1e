import { generateKeyPairSync } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { Command } from 'commander'
import { publicKeyOf } from './export-file/signature.ts'
import { answer, describeTool, exitCodes, type Shell, ToolFailure } from './shell.ts'

const example = `$ npx roster keys new export-key.pem
made export-key.pem (keep it secret) and export-key.pub.pem`

/** `roster keys`: keys that sign exports. */
export function addKeys(program: Command, shell: Shell): void {
  const keys = program.command('keys').description('Make keys.')
  const command = keys.command('new <file>')
  describeTool(command, 'Make an Ed25519 key that signs exports, in PEM.', example).action(
    async (file: string, options: { json?: true }) => {
      const publicFile = file.replace(/(\.pem)?$/, '.pub.pem')
      const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
        publicKeyEncoding: { type: 'spki', format: 'pem' },
      })
      await writeNew(file, privateKey, 0o600)
      await writeNew(publicFile, publicKey, 0o644)
      const made = { privateKey: file, publicKey: publicFile, key: publicKeyOf(publicKey) }
      await answer(shell, options.json, made, `made ${file} (keep it secret) and ${publicFile}`)
    },
  )
}

/** Never over a file that is there: a key lost is lost for good. */
async function writeNew(file: string, text: string, mode: number): Promise<void> {
  const handle = await open(file, 'wx', mode).catch(cause => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ToolFailure(exitCodes.wrongUse, `expected to make a new file ${file}: ${reason}`, { cause })
  })
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
