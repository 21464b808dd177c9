//! One line of a scenario, cut into words that are parsed one after the other.
//!
//! A scenario is text from outside: every word is checked here, and a problem names its field. Nothing is played here. Start with
//! [`TokenReader`].

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use crate::freeze::check_date;
use crate::ids::MalformedProductId;
use crate::refusal::Refusal;
use crate::ring::RingRefusal;
use crate::text::refusal::with_field;
use crate::zone::Zone;

/// Why a line cannot be played, in one sentence. A scenario is text from outside: whoever wrote it reads this, and no code does.
pub(super) struct LineProblem(pub(super) String);

pub(super) type LineResult<T = ()> = Result<T, LineProblem>;

impl LineProblem {
    /// What is the matter with a field.
    pub(super) fn of(field: &str, problem: impl fmt::Display) -> Self {
        Self(format!("{field}: {problem}"))
    }

    /// A word that is none of those that may stand here.
    pub(super) fn none_of(field: &str, word: &str, words: &str) -> Self {
        Self::of(field, format_args!("{word} is unknown; {words}"))
    }

    /// A name that nothing has.
    pub(super) fn no_such(field: &str, name: &str) -> Self {
        Self::of(field, format_args!("there is no {name}"))
    }
}

impl From<Refusal> for LineProblem {
    fn from(refusal: Refusal) -> Self {
        Self(with_field(&refusal))
    }
}

impl From<RingRefusal> for LineProblem {
    fn from(refusal: RingRefusal) -> Self {
        Self(refusal.to_string())
    }
}

impl From<MalformedProductId> for LineProblem {
    fn from(malformed: MalformedProductId) -> Self {
        Self(malformed.to_string())
    }
}

/// One line, cut into words.
pub(super) struct TokenReader {
    tokens: Vec<String>,
    /// The place of the next word; a line about many rooms is read again for each.
    pub(super) next: usize,
}

fn tokens(line: &str) -> LineResult<Vec<String>> {
    let mut tokens = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (token, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted
                .split_once('"')
                .ok_or_else(|| LineProblem::of("quotes", "a \" has no other to close it"))?,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        tokens.push(token.to_owned());
        rest = after.trim_start();
    }
    Ok(tokens)
}

impl TokenReader {
    /// Cuts a line into words; `None`: it has none.
    pub(super) fn new(line: &str) -> LineResult<Option<Self>> {
        let tokens = tokens(line)?;
        Ok((!tokens.is_empty()).then_some(Self { tokens, next: 0 }))
    }

    pub(super) fn word(&mut self, field: &str) -> LineResult<String> {
        let word = self
            .tokens
            .get(self.next)
            .cloned()
            .ok_or_else(|| LineProblem::of(field, "the line ends before it"))?;
        self.next += 1;
        Ok(word)
    }

    /// Takes the next word if it is this one.
    pub(super) fn take_if(&mut self, word: &str) -> bool {
        let is_next = self.tokens.get(self.next).is_some_and(|next| next == word);
        self.next += usize::from(is_next);
        is_next
    }

    pub(super) fn expect(&mut self, word: &str) -> LineResult {
        if self.take_if(word) {
            return Ok(());
        }
        let found = self
            .tokens
            .get(self.next)
            .map_or("the end of the line".to_owned(), |found| format!("{found:?}"));
        Err(LineProblem::of(
            word,
            format_args!("expected this word here, found {found}"),
        ))
    }

    pub(super) fn number(&mut self, field: &str, least: u32, most: u32) -> LineResult<u32> {
        let word = self.word(field)?;
        let number = word.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| {
            LineProblem::of(
                field,
                format_args!("{word} is not a whole number from {least} to {most}"),
            )
        })
    }

    pub(super) fn date(&mut self, field: &str) -> LineResult<NaiveDate> {
        let word = self.word(field)?;
        let date = word
            .parse()
            .map_err(|_| LineProblem::of(field, format_args!("{word} is not a date such as 2025-03-05")))?;
        check_date(date).map_err(|error| LineProblem::of(field, error))?;
        Ok(date)
    }

    pub(super) fn instant(&mut self, field: &str, zone: &Zone) -> LineResult<DateTime<Utc>> {
        let date = self.date(field)?;
        let word = self.word(field)?;
        let time = NaiveTime::parse_from_str(&word, "%H:%M")
            .map_err(|_| LineProblem::of(field, format_args!("{word} is not a time from 00:00 to 23:59")))?;
        zone.at(date, time)
            .ok_or_else(|| LineProblem::of(field, format_args!("{date} {word} does not exist in {zone}")))
    }

    pub(super) fn zone(&mut self) -> LineResult<Zone> {
        Zone::parse(&self.word("zone")?).map_err(|unknown| LineProblem::of("zone", unknown))
    }

    pub(super) fn reason(&mut self) -> LineResult<String> {
        self.expect("because")?;
        let rest = self.tokens.get(self.next..).unwrap_or_default().join(" ");
        self.next = self.tokens.len();
        if rest.is_empty() {
            Err(LineProblem::of("because", "the line ends before the reason"))
        } else {
            Ok(rest)
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.next >= self.tokens.len()
    }

    pub(super) fn end(&self) -> LineResult {
        match self.tokens.get(self.next) {
            None => Ok(()),
            Some(word) => Err(LineProblem::of(word, "nothing more is expected on this line")),
        }
    }
}
