//! Which keys the catalogue's files may have: those that are read, and those that catalogues carry for people.
//!
//! A key that is neither is refused, so that a misspelt one does not pass for one that is missing (G5). Start with [`check_products`].

use chrono::NaiveDate;
use domain::freeze::check_date;
use serde_json::{Map, Value};

use crate::error::{Result, ServiceError};

/// The keys of one kind of entry.
struct Keys {
    /// What an entry is called in a refusal.
    entry: &'static str,
    read: &'static [&'static str],
    /// Notes and sources for people: anything may stand there.
    for_people: &'static [&'static str],
}

const PRODUCT: Keys = Keys {
    entry: "a product",
    read: &[
        "id",
        "vendor",
        "name",
        "kind",
        "version_scheme",
        "covered",
        "expected_minutes",
        "chunk_part",
    ],
    for_people: &[
        "demo_size_mb",
        "device_models",
        "form",
        "latest_listed",
        "notes",
        "release_count",
        "sources",
    ],
};

const SCHEME: Keys = Keys {
    entry: "version_scheme",
    read: &["order_by", "optional_prefix"],
    for_people: &["example", "family_prefix", "parts"],
};

const RELEASE: Keys = Keys {
    entry: "a release",
    read: &[
        "product",
        "version",
        "rank",
        "released",
        "minimum_version",
        "recalled",
        "critical",
        "known_issues",
        "supersedes_by_order",
        "expected_minutes",
        "applies_to_models",
    ],
    for_people: &[
        "build_stamp",
        "bundles",
        "confidence",
        "critical_basis",
        "date_doubt",
        "kb",
        "listed_as_of",
        "manual_only",
        "minimum_by_model",
        "named_only_as_minimum",
        "notes",
        "other_clouds",
        "recall_reason",
        "recommended_build",
        "redated_in_source",
        "released_month",
        "released_precision",
        "requires",
        "room_support_status_2024",
        "source",
    ],
};

const KNOWN_ISSUE: Keys = Keys {
    entry: "a known issue",
    read: &["summary", "fixed_in"],
    for_people: &["inferred", "source"],
};

/// Refuses keys of `products.json` that nobody knows.
///
/// # Errors
/// Names the product and the key.
pub(crate) fn check_products(products: &Value) -> Result<()> {
    for (place, product) in entries(products) {
        let place = format!("products.json: {}", named(product, "product", "id", place));
        PRODUCT.check(&place, product)?;
        if let Some(Value::Object(scheme)) = product.get("version_scheme") {
            SCHEME.check(&place, scheme)?;
        }
    }
    Ok(())
}

/// Refuses keys of `releases.json` that nobody knows, and days that do not exist.
///
/// # Errors
/// Names the release and the key.
pub(crate) fn check_releases(releases: &Value) -> Result<()> {
    for (place, release) in entries(releases) {
        let place = match (release.get("product"), release.get("version")) {
            (Some(Value::String(product)), Some(Value::String(version))) => format!("release {version} of {product}"),
            (_, _) => format!("release {}", place + 1),
        };
        let place = format!("releases.json: {place}");
        RELEASE.check(&place, release)?;
        let issues = release.get("known_issues").map_or(&[][..], |issues| match issues {
            Value::Array(issues) => issues,
            _ => &[],
        });
        for issue in issues.iter().filter_map(Value::as_object) {
            KNOWN_ISSUE.check(&place, issue)?;
        }
        if let Some(Value::String(day)) = release.get("released") {
            check_day(&place, day)?;
        }
    }
    Ok(())
}

fn check_day(place: &str, text: &str) -> Result<()> {
    let problem = match text.parse::<NaiveDate>() {
        Ok(day) => match check_date(day) {
            Ok(()) => return Ok(()),
            Err(error) => error.to_string(),
        },
        Err(_) => "it must be a day such as 2026-03-04".to_owned(),
    };
    Err(ServiceError::invalid(
        "catalogue",
        format!("{place}: released is {text:?}: {problem}"),
    ))
}

/// The entries of a list that are objects, each with its place. What is none is refused when it is read.
fn entries(list: &Value) -> impl Iterator<Item = (usize, &Map<String, Value>)> {
    let list = list.as_array().into_iter().flatten().enumerate();
    list.filter_map(|(place, entry)| Some((place, entry.as_object()?)))
}

/// `product "cam"`, or by its place where it has no id.
fn named(entry: &Map<String, Value>, noun: &str, id: &str, place: usize) -> String {
    match entry.get(id) {
        Some(Value::String(id)) => format!("{noun} {id}"),
        Some(_) | None => format!("{noun} {}", place + 1),
    }
}

impl Keys {
    fn check(&self, place: &str, entry: &Map<String, Value>) -> Result<()> {
        let is_known = |key: &&String| self.read.contains(&key.as_str()) || self.for_people.contains(&key.as_str());
        let Some(unknown) = entry.keys().find(|key| !is_known(key)) else {
            return Ok(());
        };
        let shortened: String = unknown.chars().take(40).collect();
        let problem = format!(
            "{place}: the key {shortened:?} is unknown; {} has {}, and for people {}",
            self.entry,
            self.read.join(", "),
            self.for_people.join(", ")
        );
        Err(ServiceError::invalid("catalogue", problem))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_misspelt_key_of_a_catalogue_is_refused_with_the_place_and_what_is_allowed_g5() {
        let problem = |outcome: Result<()>| outcome.expect_err("a refusal").to_string();
        let product = problem(check_products(&json!([{ "id": "cam", "vendr": "Contoso" }])));
        assert!(
            product.contains("products.json: product cam: the key \"vendr\" is unknown; a product has id, vendor,"),
            "{product}"
        );
        let scheme = json!([{ "id": "cam", "version_scheme": { "orderby": "numbers" } }]);
        let scheme = problem(check_products(&scheme));
        assert!(
            scheme.contains("\"orderby\" is unknown; version_scheme has order_by"),
            "{scheme}"
        );
        let release = json!([{ "product": "cam", "version": "1.2", "relased": "2025-01-01" }]);
        let release = problem(check_releases(&release));
        assert!(
            release.contains("releases.json: release 1.2 of cam: the key \"relased\" is unknown"),
            "{release}"
        );
        let issue = json!([{ "product": "cam", "version": "1.2", "known_issues": [{ "sumary": "It hums." }] }]);
        let issue = problem(check_releases(&issue));
        assert!(issue.contains("a known issue has summary, fixed_in"), "{issue}");
        let fine = json!([{ "product": "cam", "version": "1.2", "notes": { "any": ["thing"] }, "source": "a page" }]);
        assert!(check_releases(&fine).is_ok(), "notes for people may say anything");
    }

    #[test]
    fn a_day_that_does_not_exist_is_refused_with_its_release_g5() {
        for (day, says) in [
            ("2025-02-30", "it must be a day such as"),
            ("soon", "it must be a day such as"),
            ("0001-01-01", "1900"),
            ("9999-01-01", "2999"),
        ] {
            let refused = check_releases(&json!([{ "product": "cam", "version": "1.2", "released": day }]));
            let refused = refused.expect_err(day).to_string();
            assert!(
                refused.contains("release 1.2 of cam: released is") && refused.contains(says),
                "{refused}"
            );
        }
    }
}
