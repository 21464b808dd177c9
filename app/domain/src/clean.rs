//! Text that people type, cleaned in one place (G5, P8), and what makes two names the same.
//!
//! Use cases take a [`CleanLine`] or a [`CleanText`] and no `&str`, so that no form, file or command can forget to clean. Cleaning
//! never refuses: limits, and characters that cannot be shown, are the use case's to refuse, which knows the field. Device ids,
//! tokens, hashes, passwords and what devices say are not cleaned. The browser build does without this module and its tables.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::ring;

/// Text of one line, as a name or a title is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct CleanLine(String);

/// Text that may have several lines, as a reason, a description or a note has. Its lines end with `\n`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct CleanText(String);

macro_rules! cleaned {
    ($name:ident) => {
        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether nothing is left of it.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }

            /// How long it is, in characters.
            #[must_use]
            pub fn length(&self) -> usize {
                self.0.chars().count()
            }
        }

        impl From<&str> for $name {
            fn from(typed: &str) -> Self {
                Self(clean(typed))
            }
        }

        impl From<String> for $name {
            fn from(typed: String) -> Self {
                Self(clean(&typed))
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

cleaned!(CleanLine);
cleaned!(CleanText);

impl CleanLine {
    /// Whether every character can be shown on a line: no control character, and no line break either.
    #[must_use]
    pub fn can_be_shown(&self) -> bool {
        !self.0.contains(char::is_control)
    }
}

impl CleanText {
    /// Whether every character can be shown: of control characters only line breaks and tabs.
    #[must_use]
    pub fn can_be_shown(&self) -> bool {
        !self.0.contains(|c: char| c.is_control() && c != '\n' && c != '\t')
    }
}

/// What makes two names the same, however they were typed: letter case, outer blanks, characters that nobody sees, and the Unicode
/// form do not count (R4).
#[must_use]
pub fn name_key(name: &str) -> String {
    // Once more behind the small letters: `J` with a caron is two characters, and the small one is one.
    ring::name_key(&clean(name)).nfc().collect()
}

fn clean(typed: &str) -> String {
    let lines = typed.replace("\r\n", "\n");
    let mut visible = String::with_capacity(lines.len());
    for c in lines.chars() {
        match c {
            // Browsers post CR LF; old files have CR alone; a separator of lines is one.
            '\r' | '\u{2028}' | '\u{2029}' => visible.push('\n'),
            c if is_invisible(c) => {}
            // The flags of England, Scotland and Wales are spelled out behind a black one.
            '\u{e0000}'..='\u{e007f}'
                if !visible.ends_with(|c| matches!(c, '\u{1f3f4}' | '\u{e0000}'..='\u{e007f}')) => {}
            c => visible.push(c),
        }
    }
    let composed: Vec<char> = visible.nfc().collect();
    let mut kept = String::with_capacity(visible.len());
    for (index, c) in composed.iter().copied().enumerate() {
        if !is_joiner(c) || joins(kept.chars().next_back(), composed.get(index + 1).copied()) {
            kept.push(c);
        }
    }
    kept.trim().to_owned()
}

/// What has no shape and no meaning in a name or a sentence: spaces without width, byte order marks, marks of direction, hyphens that
/// show at the end of a line alone, fillers.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
    )
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Joiners mean something inside an emoji and in scripts whose letters join: between two characters, not both of them ASCII.
fn joins(before: Option<char>, after: Option<char>) -> bool {
    let (Some(before), Some(after)) = (before, after) else {
        return false;
    };
    let is_letter = |c: char| !c.is_whitespace() && !c.is_control() && !is_joiner(c);
    is_letter(before) && is_letter(after) && !(before.is_ascii() && after.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(typed: &str) -> String {
        CleanText::from(typed).into()
    }

    #[test]
    fn line_ends_of_every_kind_become_one_p8_k2() {
        assert_eq!(text("dark.\r\nVendor case 4711."), "dark.\nVendor case 4711.");
        assert_eq!(text("a\rb\nc\u{2028}d\r\n\r\ne"), "a\nb\nc\nd\n\ne");
        assert_eq!(text(" \r\n\t in the middle \r\n"), "in the middle");
        assert!(CleanText::from("a\r\nb\tc").can_be_shown());
        assert!(!CleanLine::from("a\r\nb").can_be_shown(), "a name has one line");
        assert!(
            CleanLine::from("a\r\n").can_be_shown(),
            "which may have been pasted whole"
        );
    }

    #[test]
    fn what_cannot_be_seen_goes_and_what_joins_stays_g5() {
        assert_eq!(text("\u{feff}Lab\u{200b} 1\u{2060}"), "Lab 1");
        assert_eq!(text("\u{202e}baL\u{202c}\u{200f}"), "baL");
        assert_eq!(text("\u{200b}\u{feff} \u{200d}"), "");
        assert_eq!(text("La\u{200d}b"), "Lab");
        assert_eq!(text("\u{200d}Lab\u{200c} 1\u{200d}"), "Lab 1");
        for kept in [
            "می\u{200c}خواهم",
            "👩\u{200d}💻",
            "☕\u{fe0f}",
            "🏴\u{e0067}\u{e0062}\u{e007f}",
            "PDF\u{200c}ها",
        ] {
            assert_eq!(text(kept), kept);
        }
        assert_eq!(text("a\u{e0061}b"), "ab");
    }

    #[test]
    fn other_control_characters_stay_to_be_refused_g5() {
        for bad in ["a\0b", "a\u{7}b", "a\u{1b}[31m", "a\u{85}b", "a\u{9f}b"] {
            assert!(!CleanLine::from(bad).can_be_shown(), "{bad:?}");
            assert!(!CleanText::from(bad).can_be_shown(), "{bad:?}");
        }
    }

    #[test]
    fn names_are_the_same_in_every_unicode_form_r4_g5() {
        for (one, other) in [
            ("Café", "Cafe\u{301}"),
            (" CAFÉ ", "cafe\u{301}"),
            ("Zu\u{308}rich", "ZÜRICH"),
            ("J\u{30c}", "\u{1f0}"),
            ("\u{212b}ngström", "ångstro\u{308}m"),
            ("ệ", "e\u{302}\u{323}"),
            ("한국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"),
            ("Lab", "La\u{200b}b"),
        ] {
            assert_eq!(name_key(one), name_key(other), "{one:?} and {other:?}");
        }
        assert_ne!(name_key("Cafe"), name_key("Café"));
    }

    proptest::proptest! {
        #[test]
        fn cleaning_twice_changes_nothing_g5(typed in "(?s).{0,12}|[ \r\n\u{200b}-\u{200f}ae\u{301}\u{323}\u{feff}👩💻\u{e0061}🏴]{0,12}") {
            let once = text(&typed);
            proptest::prop_assert_eq!(text(&once), once.clone());
            proptest::prop_assert_eq!(name_key(&name_key(&typed)), name_key(&typed));
        }
    }
}
