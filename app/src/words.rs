//! Words that the server and the browser write alike.

/// `1 room`, `2 rooms`.
pub(crate) fn count(number: impl Into<i64>, one: &str, many: &str) -> String {
    let number = number.into();
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        assert_eq!(count(0, "room", "rooms"), "0 rooms");
        assert_eq!(count(1, "room has", "rooms have"), "1 room has");
        assert_eq!(count(2_u32, "day", "days"), "2 days");
    }
}
