import type { VirtualTime } from './virtual-time.ts'

/** Memory in MB that comes with a whole vCPU (Lambda guide, "Configure memory"). */
const VCPU_MB = 1769
/** Less work that is left is not waited for: it is done while others wait for S3. */
const SHORTEST_WORK_MS = 2

/** An instance's share of a vCPU: it does one thing after another. */
export class Cpu {
  #freeAt = 0
  readonly #time: VirtualTime
  readonly #share: number

  constructor(time: VirtualTime, memoryMb: number) {
    this.#time = time
    this.#share = Math.min(1, memoryMb / VCPU_MB)
  }

  /** Waits until so much has been done, in milliseconds of a whole vCPU. */
  async work(ms: number): Promise<void> {
    this.#freeAt = Math.max(this.#freeAt, this.#time.now()) + ms / this.#share
    const left = this.#freeAt - this.#time.now()
    if (left >= SHORTEST_WORK_MS) await this.#time.sleep(left)
  }
}
