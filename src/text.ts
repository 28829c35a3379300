/**
 * Text from outside (object keys, error messages) made safe to show. A key may hold line breaks that start a workflow
 * command (`::set-output`), Markdown, HTML, or marks that turn the direction of writing.
 */

// Controls, line and paragraph separators, formatting marks (bidi, zero width), surrogates, private use and unassigned.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu
/** What starts Markdown, HTML, a mention, an emoji or a link; the dot only where it makes a link of `www.`. */
const MARKDOWN = /[\\`*_{}[\]()#+!|~<>&"'@:$^]|(?<=www)\./gi

/**
 * One line of visible characters: the rest shows as `\u{…}`, a backslash as `\\`. Holds no workflow command: the runner takes
 * `::` for one at the beginning of a line, and `##[` wherever it stands (actions/runner, ActionCommand). Further on `::`
 * stays, because ARNs hold it.
 */
export function printable(text: string): string {
  return visible(text.replaceAll('\\', '\\\\')).replace(/^(\s*):(?=:)/, '$1\\u{3a}')
}

/** Like {@link printable}, for a line of the log that begins with words of ours: line ends become spaces, backslashes stay. */
export function logLine(text: string): string {
  return visible(text.replace(/\s+/g, ' '))
}

/** Without hidden characters, and without `##[`. */
function visible(text: string): string {
  return text
    .replace(HIDDEN, (char) => `\\u{${(char.codePointAt(0) as number).toString(16)}}`)
    .replaceAll('##[', '#\\u{23}[')
}

/** The start of a text when it is longer than `most` characters, never cut inside a character. */
export function shorten(text: string, most: number): string {
  const chars = [...text]
  return chars.length <= most ? text : `${chars.slice(0, most - 1).join('')}…`
}

/** A text for a Markdown table cell: shows as it is, whatever Markdown or HTML it holds; at most `most` characters. */
export function markdown(text: string, most = 200): string {
  return shorten(printable(text), most).replace(MARKDOWN, (char) => `&#${char.charCodeAt(0)};`)
}
