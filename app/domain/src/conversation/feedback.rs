//! The words of a device about an action, as the protocol has them (`docs/devices.md` 1).
//!
//! Only the words are here. What they mean is said in `hear.rs`.

use serde::{Deserialize, Serialize};

/// `execution` of a feedback (`docs/devices.md` 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Execution {
    /// The device says that it is done, one way or the other.
    Closed,
    /// It works on it.
    Proceeding,
    /// It has put it on its own schedule.
    Scheduled,
    /// It goes on after a break.
    Resumed,
    Download,
    Downloaded,
    /// It objects; a warning in the history.
    Rejected,
    /// It acknowledges a cancel.
    Canceled,
}

impl Execution {
    /// Every word of the protocol.
    pub const ALL: [Self; 8] = [
        Self::Closed,
        Self::Proceeding,
        Self::Scheduled,
        Self::Resumed,
        Self::Download,
        Self::Downloaded,
        Self::Rejected,
        Self::Canceled,
    ];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Proceeding => "proceeding",
            Self::Scheduled => "scheduled",
            Self::Resumed => "resumed",
            Self::Download => "download",
            Self::Downloaded => "downloaded",
            Self::Rejected => "rejected",
            Self::Canceled => "canceled",
        }
    }

    /// The execution of a word on the wire.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|execution| execution.as_str() == word)
    }
}

/// `result.finished` of a feedback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finished {
    /// It worked.
    Success,
    /// It did not.
    Failure,
    /// Nothing to say yet; with `closed` it counts as success.
    None,
    /// Missing, or no word of the protocol. A close with it is no success by itself (`docs/devices.md` 2.12).
    Unreadable,
}

impl Finished {
    /// The word in rows, and on the wire where it has one.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::None => "none",
            Self::Unreadable => "unreadable",
        }
    }

    /// The result of a word in a row.
    #[must_use]
    pub fn from_row(word: &str) -> Option<Self> {
        Self::from_word(word).or((word == Self::Unreadable.as_str()).then_some(Self::Unreadable))
    }

    /// The result of a word on the wire; `None`: the protocol does not have it.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Success, Self::Failure, Self::None]
            .into_iter()
            .find(|finished| finished.as_str() == word)
    }
}

/// What a device says about an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// What it does.
    pub execution: Execution,
    /// What came of it.
    pub finished: Finished,
    /// In its own words.
    pub details: Vec<String>,
}

impl Feedback {
    /// What the device says of itself, in at most so many characters. Lines with `ERROR` come first: clients like swupdate end a failure
    /// with a line that says nothing of its cause. Without one it is all of a short failure, and else the last detail.
    #[must_use]
    pub fn summary(&self, most: usize) -> String {
        let lines = self.details.iter().flat_map(|detail| detail.lines()).map(str::trim);
        let errors: Vec<&str> = lines.filter(|line| is_error(line)).collect();
        let all = self.details.join("\n");
        let text = if !errors.is_empty() {
            errors.join("\n")
        } else if self.finished == Finished::Failure && all.chars().count() <= most {
            all
        } else {
            self.details.last().cloned().unwrap_or_default()
        };
        text.chars().take(most).collect()
    }

    /// All that the device says, in at most so many characters. Of what is longer, the lines with `ERROR` are kept, and the end.
    #[must_use]
    pub fn shortened(&self, most: usize) -> String {
        let text = self.details.join("\n");
        let length = text.chars().count();
        if length <= most {
            return text;
        }
        let errors: Vec<&str> = text.lines().map(str::trim).filter(|line| is_error(line)).collect();
        let mut kept: String = errors.join("\n").chars().take(most / 2).collect();
        if !kept.is_empty() {
            kept.push('\n');
        }
        kept.push_str("…\n");
        let left = most.saturating_sub(kept.chars().count());
        kept.extend(text.chars().skip(length - left));
        kept
    }
}

fn is_error(line: &str) -> bool {
    line.contains("ERROR")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(details: &[&str]) -> Feedback {
        Feedback {
            execution: Execution::Closed,
            finished: Finished::Failure,
            details: details.iter().map(|&detail| detail.to_owned()).collect(),
        }
    }

    #[test]
    fn the_cause_of_a_failure_is_the_line_that_names_an_error_k1_t5() {
        let swupdate = says(&[
            "[INFO ] : Installation in progress",
            "[ERROR] : HW/SW not compatible: 2.0\n[ERROR] : Image invalid or corrupted",
            "No suitable .swu image found",
        ]);
        let summary = swupdate.summary(500);
        assert_eq!(summary.lines().next(), Some("[ERROR] : HW/SW not compatible: 2.0"));
        assert_eq!(swupdate.summary(7), "[ERROR]");
        assert_eq!(
            says(&["one", "disk full"]).summary(500),
            "one\ndisk full",
            "without one, all of it"
        );
        let long = "x".repeat(500);
        assert_eq!(says(&[&long, "disk full"]).summary(500), "disk full", "or the last");
        assert_eq!(says(&[]).summary(500), "");
    }

    #[test]
    fn of_long_words_the_errors_and_the_end_are_kept_t5() {
        assert_eq!(says(&["one", "two"]).shortened(7), "one\ntwo");
        let mut log: Vec<String> = (0..8000).map(|line| format!("line {line}")).collect();
        log.insert(10, "ERROR: the image is broken".to_owned());
        let log = Feedback {
            details: log,
            ..says(&[])
        };
        let kept = log.shortened(200);
        assert_eq!(kept.chars().count(), 200);
        assert!(kept.starts_with("ERROR: the image is broken\n…\n"), "{kept}");
        assert!(kept.ends_with("line 7998\nline 7999"), "{kept}");
        // A line of errors that is longer than all that is kept leaves room for the end.
        let long = says(&[&format!("ERROR {}", "x".repeat(500)), "the end"]);
        let kept = long.shortened(100);
        assert_eq!(kept.chars().count(), 100);
        assert!(kept.starts_with("ERROR x") && kept.ends_with("the end"), "{kept}");
    }
}
