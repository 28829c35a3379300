/** What can be ended early. */
type Abortable = { abort: () => void }

/**
 * Ends what is under way when its signal says so, with one listener for each signal: a signal goes through all of its
 * listeners when one is added, which with hundreds of requests in flight costs more than signing them.
 */
export class Aborts {
  readonly #signals = new Map<AbortSignal, { running: Set<Abortable>; listener: () => void }>()

  add(signal: AbortSignal, work: Abortable): void {
    const known = this.#signals.get(signal)
    if (known) {
      known.running.add(work)
      return
    }
    const running = new Set([work])
    const listener = () => {
      for (const one of running) one.abort()
    }
    this.#signals.set(signal, { running, listener })
    signal.addEventListener('abort', listener)
  }

  /** The signal is let go with the last of its work. */
  delete(signal: AbortSignal, work: Abortable): void {
    const known = this.#signals.get(signal)
    if (!known?.running.delete(work) || known.running.size > 0) return
    this.#signals.delete(signal)
    signal.removeEventListener('abort', known.listener)
  }
}
