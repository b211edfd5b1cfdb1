//! A stranger's text, made harmless for a terminal.
//!
//! A message may hold escape sequences that move the cursor, change the window's title or answer
//! for the keyboard, and marks that turn the direction of text so that it reads otherwise than it
//! is written. Each such character is shown as `\u{...}`. Line breaks are kept in message bodies,
//! with an indent, so that no message can pass for two.

use std::fmt::Write;

/// One line: line breaks are escaped too. For names.
pub fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        push(&mut shown, character);
    }
    shown
}

/// A text of several lines, each but the first behind `indent`.
pub fn block(text: &str, indent: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (at, part) in text.split('\n').enumerate() {
        if at > 0 {
            shown.push('\n');
            shown.push_str(indent);
        }
        for character in part.strip_suffix('\r').unwrap_or(part).chars() {
            match character {
                '\t' => shown.push_str("    "),
                other => push(&mut shown, other),
            }
        }
    }
    shown
}

/// JSON text in which no character steers a terminal: those are written as `\uXXXX`.
///
/// JSON's own writer has escaped what ASCII calls control characters, and the rest stand inside
/// strings alone, so the result means the same.
pub fn json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hostile(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String does not fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Whether a terminal may be steered, or a reader misled, by the character.
pub fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            // Marks and overrides of direction.
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
            // Line and paragraph separators.
            | '\u{2028}' | '\u{2029}'
            // Nothing to see, and no script needs them; joiners (200C, 200D) are needed.
            | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

fn push(shown: &mut String, character: char) {
    if is_hostile(character) {
        shown.extend(character.escape_unicode());
    } else {
        shown.push(character);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_are_shown_and_not_obeyed() {
        assert_eq!(line("\u{1b}[2Jgone"), "\\u{1b}[2Jgone");
        assert_eq!(line("\u{9b}31m\u{7f}\u{8}"), "\\u{9b}31m\\u{7f}\\u{8}");
        assert_eq!(block("\u{1b}]0;title\u{7}", ""), "\\u{1b}]0;title\\u{7}");
    }

    #[test]
    fn marks_of_direction_are_shown() {
        assert_eq!(line("a\u{202e}txt.exe"), "a\\u{202e}txt.exe");
        assert_eq!(line("\u{2067}x\u{2069}"), "\\u{2067}x\\u{2069}");
    }

    #[test]
    fn a_body_keeps_its_lines_and_cannot_pass_for_two_messages() {
        assert_eq!(block("one\r\ntwo\nthree", "  "), "one\n  two\n  three");
        assert_eq!(block("a\rb", ""), "a\\u{d}b");
        assert_eq!(line("a\nb"), "a\\u{a}b");
    }

    #[test]
    fn people_may_write_in_their_own_script() {
        let text = "Grüße, שלום, سلام, می‌خواهم, 日本語, 👩‍👩‍👧";
        assert_eq!(line(text), text);
    }

    proptest! {
        #[test]
        fn nothing_hostile_is_left(text in any::<String>()) {
            prop_assert!(!line(&text).chars().any(is_hostile));
            prop_assert!(!block(&text, "  ").chars().any(|c| is_hostile(c) && c != '\n'));
        }

        #[test]
        fn json_means_the_same(text in any::<String>()) {
            let harmless = json(&serde_json::to_string(&text).unwrap());
            prop_assert!(!harmless.chars().any(is_hostile));
            prop_assert_eq!(serde_json::from_str::<String>(&harmless).unwrap(), text);
        }
    }
}
