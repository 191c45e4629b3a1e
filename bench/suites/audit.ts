import type { Case } from '../bench.ts'
import { exportAndVerifyExport } from '../cases/export-and-verify-export.ts'
import { profileDuringReplay } from '../cases/profile-during-replay.ts'
import { replayAndVerify } from '../cases/replay-and-verify.ts'

/** The tools for audit and replay, on SQLite. The service comes last: the others want the machine for themselves. */
export const audit: readonly Case[] = [replayAndVerify, exportAndVerifyExport, profileDuringReplay]
