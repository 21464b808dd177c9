//! Shares and lengths, as every picture writes them. Where things lie in one picture stands beside its feature.

/// A share as an SVG length: `0.2` is `20%`, with at most two decimals.
#[must_use]
pub fn percent(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if matches!(text, "" | "-0") {
        "0%".to_owned()
    } else {
        format!("{text}%")
    }
}

/// `part` of `whole`, 0 where there is no whole.
#[must_use]
pub fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// A number of rooms as a length.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "no estate has 2^52 rooms")]
pub fn rooms(count: i64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_has_at_most_two_decimals_and_no_empty_ones() {
        for (share, text) in [
            (0.0, "0%"),
            (-0.000_001, "0%"),
            (0.2, "20%"),
            (0.285_714, "28.57%"),
            (1.0, "100%"),
        ] {
            assert_eq!(percent(share), text);
        }
    }

    #[test]
    fn a_share_of_nothing_is_nothing() {
        assert!(share(3.0, 0.0).abs() < f64::EPSILON);
    }
}
