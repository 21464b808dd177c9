//! What an answer says, and where its links lead.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer as it came.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body; it must be JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The message of an error answer; it must have the status, a code and a message.
    pub fn error(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let body = self.json();
        assert!(
            body["errorCode"].as_str().is_some_and(|code| !code.is_empty()),
            "{body}"
        );
        body["message"].as_str().expect("a message").to_owned()
    }
}

/// The link of this name in the answer to a poll.
pub fn link(poll: &Value, name: &str) -> Option<String> {
    poll["_links"][name]["href"].as_str().map(str::to_owned)
}

/// `…/deploymentBase/5?c=1` → `5`.
pub fn action_in(href: &str) -> String {
    let path = href.split('?').next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}
