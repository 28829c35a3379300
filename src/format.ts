/** Of many things so many are named. */
const MOST_NAMED = 10
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** A count with thousands separators. */
export function formatCount(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
}

/** Objects in a second; below ten with a decimal. */
export function formatRate(perSecond: number): string {
  const digits = perSecond < 9.95 ? 1 : 0
  return `${perSecond.toLocaleString('en-US', { maximumFractionDigits: digits })} objects/s`
}

/** A count of things with their name in singular or plural. */
export function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** The names of things, the first ten of many. */
export function named(names: string[]): string {
  const others = names.length > MOST_NAMED ? ` and ${counted(names.length - MOST_NAMED, 'other')}` : ''
  return `${names.slice(0, MOST_NAMED).join(', ')}${others}`
}

/** Bytes in the largest binary unit that keeps the number at 1 or above. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}

/** Milliseconds as `1h 02m 03s`, without leading units that are zero; below ten seconds with a decimal. */
export function formatDuration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)}s`
  const total = Math.round(ms / 1000)
  const [hours, minutes, seconds] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  if (hours > 0) return `${hours}h ${two(minutes)}m ${two(seconds)}s`
  return minutes > 0 ? `${minutes}m ${two(seconds)}s` : `${seconds}s`
}
