/**
 * The messages of a batch that a function's answer calls failed, by Lambda's rules for ReportBatchItemFailures:
 * an empty answer or an empty list means that all succeeded; an answer that cannot be understood, or that names no
 * message or an unknown one, means that all failed (Lambda developer guide, "Handling errors for an SQS event source").
 *
 * @param payload the JSON that the handler returned
 */
export function failedMessages(payload: string, messageIds: string[]): Set<string> {
  const all = new Set(messageIds)
  const answer: unknown = JSON.parse(payload)
  if (answer === null) return new Set()
  if (typeof answer !== 'object') return all
  const failures = (answer as { batchItemFailures?: unknown }).batchItemFailures ?? []
  if (!Array.isArray(failures)) return all
  const named = failures.map((failure) => (failure as { itemIdentifier?: unknown } | null)?.itemIdentifier)
  return named.every((id) => typeof id === 'string' && all.has(id)) ? new Set(named as string[]) : all
}
