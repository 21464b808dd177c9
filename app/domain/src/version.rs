//! The order of versions (SPEC S2): a partial order in eight steps, as `docs/spec.md` states them.
//!
//! Start with [`compare`]. Nothing here is guessed from the names of vendors; what a product says about its versions stands in
//! its [`VersionScheme`].

use std::cmp::Ordering;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// What a product says about its versions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionScheme {
    /// The shapes of the versions do not agree with one another, so release days decide where both are known (step 2).
    pub by_release_date: bool,
    /// What may stand in front and means nothing, for example `10.0.` (step 3).
    pub optional_prefix: Option<String>,
}

/// One side of a comparison.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    /// The version as the vendor or the device writes it.
    pub text: &'a str,
    /// The day of its release, where one is known to the day.
    pub released: Option<NaiveDate>,
}

impl<'a> Version<'a> {
    /// A version without a known release day.
    #[must_use]
    pub fn undated(text: &'a str) -> Self {
        Self { text, released: None }
    }
}

/// How two versions of one product stand to each other, with the step that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionOrder {
    /// `None`: unordered.
    pub order: Option<Ordering>,
    /// Why, in one sentence.
    pub why: &'static str,
}

impl VersionOrder {
    fn decided(order: Ordering, why: &'static str) -> Self {
        Self {
            order: Some(order),
            why,
        }
    }

    fn unordered(why: &'static str) -> Self {
        Self { order: None, why }
    }

    /// `lt`, `eq`, `gt` or `unordered`, as `nightshift explain version-order` prints it (G6).
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.order {
            Some(Ordering::Less) => "lt",
            Some(Ordering::Equal) => "eq",
            Some(Ordering::Greater) => "gt",
            None => "unordered",
        }
    }
}

/// Compares two versions of one product. Versions of different products are unordered (step 1); the caller knows the products.
#[must_use]
pub fn compare(scheme: &VersionScheme, a: Version<'_>, b: Version<'_>) -> VersionOrder {
    if let (true, Some(day_a), Some(day_b)) = (scheme.by_release_date, a.released, b.released)
        && day_a != day_b
    {
        return VersionOrder::decided(
            day_a.cmp(&day_b),
            "The product goes by release dates, and the two days differ.",
        );
    }
    let (Some(a), Some(b)) = (ParsedVersion::of(scheme, a.text), ParsedVersion::of(scheme, b.text)) else {
        return VersionOrder::unordered("A version without any digit has no place in an order.");
    };
    compare_parsed(&a, &b)
}

/// Steps 4 to 7.
fn compare_parsed(a: &ParsedVersion, b: &ParsedVersion) -> VersionOrder {
    let (decided, unordered) = (VersionOrder::decided, VersionOrder::unordered);
    if a.family != b.family {
        return unordered("The texts before the first digit name different families.");
    }
    for (left, right) in a.parts.iter().zip(&b.parts) {
        match (left, right) {
            (Part::Number(left), Part::Number(right)) => match cmp_digits(left, right) {
                Ordering::Equal => {}
                order @ (Ordering::Less | Ordering::Greater) => {
                    return decided(order, "The first number that differs decides.");
                }
            },
            (Part::Word(left), Part::Word(right)) => match left.cmp(right) {
                Ordering::Equal => {}
                order @ (Ordering::Less | Ordering::Greater) => {
                    return decided(order, "The first word that differs decides.");
                }
            },
            (Part::Number(_), Part::Word(_)) | (Part::Word(_), Part::Number(_)) => {
                return unordered("A number cannot be compared with a word.");
            }
        }
    }
    let order = a.parts.len().cmp(&b.parts.len());
    let rest = match order {
        Ordering::Less => &b.parts[a.parts.len()..],
        Ordering::Equal => return decided(Ordering::Equal, "All parts are the same."),
        Ordering::Greater => &a.parts[b.parts.len()..],
    };
    if rest.iter().all(Part::is_zero) {
        return decided(Ordering::Equal, "One side is longer by zeros only.");
    }
    decided(order, "The longer one is newer when all before it is the same.")
}

/// Whether two spellings name the same version: `v1.2`, `1.2` and `1.02` do.
#[must_use]
pub fn is_same(scheme: &VersionScheme, a: &str, b: &str) -> bool {
    // Dates stay out of it: a spelling has none.
    let order = compare(scheme, Version::undated(a), Version::undated(b)).order;
    a == b || order == Some(Ordering::Equal)
}

/// The line that a version belongs to: what comes up to its second number, `4.19` of `4.19.57.0` (L3). A missing second number is 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionLine(ParsedVersion);

impl VersionLine {
    /// The line of a version; a version without any digit has none.
    #[must_use]
    pub fn of(scheme: &VersionScheme, text: &str) -> Option<Self> {
        let mut line = ParsedVersion::of(scheme, text)?;
        let mut numbers = (0..line.parts.len()).filter(|index| matches!(line.parts[*index], Part::Number(_)));
        match numbers.nth(1) {
            Some(second) => line.parts.truncate(second + 1),
            None => line.parts.push(Part::Number(String::new())),
        }
        Some(Self(line))
    }

    /// Whether this line is above the other one. Each comes with the day of its first release: it decides where the product goes
    /// by release dates, as it does between two versions (S2, step 2).
    #[must_use]
    pub fn is_above(&self, began: NaiveDate, other: &Self, other_began: NaiveDate, scheme: &VersionScheme) -> bool {
        if scheme.by_release_date && began != other_began {
            return began > other_began;
        }
        compare_parsed(&self.0, &other.0).order == Some(Ordering::Greater)
    }
}

/// A version taken apart (steps 3 to 5).
#[derive(Clone, Debug, PartialEq, Eq)]
struct ParsedVersion {
    family: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Digits without leading zeros; as text, for some vendors write 14 and more of them.
    Number(String),
    Word(String),
}

impl Part {
    fn is_zero(&self) -> bool {
        matches!(self, Self::Number(digits) if digits.is_empty())
    }
}

impl ParsedVersion {
    fn of(scheme: &VersionScheme, text: &str) -> Option<Self> {
        let lower = text.trim().to_lowercase();
        let prefix = scheme.optional_prefix.as_deref().unwrap_or_default().to_lowercase();
        let rest = lower.strip_prefix(&prefix).unwrap_or(&lower);
        let rest = match rest.strip_prefix('v') {
            Some(after) if after.starts_with(|c: char| c.is_ascii_digit()) => after,
            Some(_) | None => rest,
        };
        let first_digit = rest.find(|c: char| c.is_ascii_digit())?;
        let family = rest[..first_digit].trim_matches(separates).to_owned();

        let mut parts = Vec::new();
        let mut left = &rest[first_digit..];
        while let Some(first) = left.chars().next() {
            let ends = |wanted: fn(char) -> bool| left.find(|c| !wanted(c)).unwrap_or(left.len());
            let end = if first.is_ascii_digit() {
                let end = ends(|c| c.is_ascii_digit());
                parts.push(Part::Number(left[..end].trim_start_matches('0').to_owned()));
                end
            } else if separates(first) {
                first.len_utf8()
            } else {
                let end = ends(|c| !c.is_ascii_digit() && !separates(c));
                parts.push(Part::Word(left[..end].to_owned()));
                end
            };
            left = &left[end..];
        }
        let after_last_number = parts
            .iter()
            .rposition(|part| matches!(part, Part::Number(_)))
            .map_or(0, |last| last + 1);
        parts.truncate(after_last_number);
        Some(Self { family, parts })
    }
}

fn separates(c: char) -> bool {
    matches!(c, '.' | '-' | '_' | '/') || c.is_whitespace()
}

fn cmp_digits(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}
