//! Devices that prove who they are and are refused: nobody has added them to a room, or they were revoked. The log names each once an hour, so
//! that whoever sets one up sees why it gets nothing. Start with [`RefusedDevices::is_news`].

use std::collections::BTreeMap;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};

/// Names that are remembered. More of them in one hour are not logged: whoever has the gateway token may invent names.
const MOST: usize = 100;
const AGAIN_AFTER: TimeDelta = TimeDelta::hours(1);

/// When the log has named which device last. Kept in memory; losing it costs a line.
#[derive(Default)]
pub(crate) struct RefusedDevices(Mutex<BTreeMap<String, DateTime<Utc>>>);

impl RefusedDevices {
    /// Whether the log is to name this device now.
    pub(crate) fn is_news(&self, controller: &str, now: DateTime<Utc>) -> bool {
        let Ok(mut named) = self.0.lock() else { return false };
        if let Some(at) = named.get(controller) {
            // A clock that was put back counts as long ago.
            if *at <= now && now - *at < AGAIN_AFTER {
                return false;
            }
        } else if named.len() >= MOST {
            named.retain(|_, at| *at <= now && now - *at < AGAIN_AFTER);
            if named.len() >= MOST {
                return false;
            }
        }
        named.insert(controller.to_owned(), now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    #[test]
    fn a_refused_device_is_named_once_an_hour_and_a_hundred_of_them_at_most_a4_g5() {
        let refused = RefusedDevices::default();
        assert!(refused.is_news("new-1", instant(0)));
        assert!(!refused.is_news("new-1", instant(59)));
        assert!(refused.is_news("new-1", instant(60)));
        let named = (0..1000).filter(|number| refused.is_news(&format!("invented-{number}"), instant(61)));
        assert_eq!(named.count(), MOST - 1);
        assert!(!refused.is_news("honest", instant(62)), "it has to wait");
        assert!(refused.is_news("honest", instant(122)));
        assert!(refused.is_news("honest", instant(5)), "the clock was put back");
    }
}
