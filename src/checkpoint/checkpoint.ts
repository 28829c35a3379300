import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { asciiJson } from '../../protocol/encoding.ts'
import { PROTOCOL } from '../../protocol/message.ts'
import type { Unlisted } from '../../protocol/outcome.ts'
import type { Part } from '../../protocol/part.ts'
import { RUN_ID, type Run } from '../../protocol/run.ts'
import { UserError } from '../errors.ts'
import { Ledger, type LedgerSnapshot } from '../ledger.ts'
import type { Sample } from '../progress.ts'
import type { Mode, Subject } from './run-key.ts'

/** The version of what is on this page. An action reads no other. */
const FORMAT = 1

/**
 * Who takes a run's outcomes in, until when others leave that to it (milliseconds since the epoch), and whether it only starts
 * the run and does not wait for its end.
 */
export type Watcher = { id: string; name: string; until: number; leaves?: boolean }

/**
 * A run as it stood at one moment: what it is to copy, who watches it, and all that was counted by then, the failed
 * objects aside, which lie in segments of their own. Manifest, lease and checkpoint in one object, so that one conditional
 * write proves that nobody else has gone on from the state before.
 */
export type Checkpoint = {
  run: Run
  mode: Mode
  /** What a copy is seeded with. */
  parts: Part[]
  /** What was redriven: run and task of each message of the DLQ. Known once seeded. */
  origins: string[]
  /** All seeds were sent. If not, they are sent again: parts under the same ids, redrives under new ones, so each counts once. */
  seeded: boolean
  /** Milliseconds since the epoch. */
  startedAt: number
  savedAt: number
  watcher: Watcher
  /** Segments of failures, by the watcher that wrote them: so many each. */
  segments: [watcher: string, count: number][]
  ledger: LedgerSnapshot
  unlisted: [task: string, unlisted: Unlisted][]
  samples: Sample[]
}

/** The checkpoint of a run that has just been made. */
export function firstCheckpoint(
  run: Run,
  { mode, parts }: Pick<Subject, 'mode' | 'parts'>,
  watcher: Watcher,
  now: number,
): Checkpoint {
  return {
    run,
    mode,
    parts,
    origins: [],
    seeded: false,
    startedAt: now,
    savedAt: now,
    watcher,
    segments: [],
    ledger: new Ledger(parts.length).snapshot(),
    unlisted: [],
    samples: [{ elapsedMs: 0, copied: 0 }],
  }
}

const zip = promisify(gzip)
const unzip = promisify(gunzip)

export async function encodeCheckpoint(checkpoint: Checkpoint): Promise<Buffer> {
  return await zip(asciiJson({ format: FORMAT, protocol: PROTOCOL, ...checkpoint }))
}

type Versioned = Checkpoint & { format: number; protocol: number }

/**
 * Reads what {@link encodeCheckpoint} wrote. Whoever can write where it lies is trusted with the counts, so that only the
 * version is checked, and the id, which becomes a part of paths. Throws a UserError when it is of another one, or nothing of
 * the kind.
 *
 * @param url where it lies, for people
 */
export async function decodeCheckpoint(bytes: Uint8Array, url: string): Promise<Checkpoint> {
  const { format, protocol, ...checkpoint } = (await parse(bytes, url)) ?? {}
  const id: unknown = checkpoint.run?.id
  if (typeof id !== 'string' || !RUN_ID.test(id)) throw noCheckpoint(url)
  if (format !== FORMAT || protocol !== PROTOCOL)
    throw new UserError(
      `Run ${checkpoint.run.id} was started by another version of this action and is still in progress. Use that version to see it to its end. To stop it instead, delete its queue ${checkpoint.run.queue} and ${url}.`,
    )
  return checkpoint
}

async function parse(bytes: Uint8Array, url: string): Promise<Versioned> {
  try {
    return JSON.parse((await unzip(bytes)).toString()) as Versioned
  } catch (error) {
    throw noCheckpoint(url, error)
  }
}

function noCheckpoint(url: string, cause?: unknown): UserError {
  return new UserError(
    `${url} is not a checkpoint of a run, although a checkpoint belongs there. Move it away, or use another \`run-key\`.`,
    { cause },
  )
}
