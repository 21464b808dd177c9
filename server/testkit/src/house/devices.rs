//! What devices say, over HTTP.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, House, action_in, link};

/// Where a device finds what is its own; `rest` begins with a slash or is empty.
pub fn address_of(base: &str, device: &str, rest: &str) -> String {
    format!("{base}/DEFAULT/controller/v1/{device}{rest}")
}

impl House {
    /// Where the device finds what is its own.
    pub fn address(&self, device: &str, rest: &str) -> String {
        address_of(&self.base, device, rest)
    }

    /// The device's `Authorization`.
    pub fn token(&self, device: &str) -> String {
        format!("TargetToken {}", self.tokens[device])
    }

    /// A request as the device; `rest` may also be an absolute link.
    pub async fn ask(
        &self,
        method: Method,
        device: &str,
        rest: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        self.ask_with(&self.token(device), method, device, rest, headers, body)
            .await
    }

    /// The same with any `Authorization`; empty: without one.
    #[expect(clippy::too_many_arguments, reason = "all that a device may put into a request")]
    pub async fn ask_with(
        &self,
        authorization: &str,
        method: Method,
        device: &str,
        rest: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let address = if rest.starts_with("http") {
            rest.to_owned()
        } else {
            self.address(device, rest)
        };
        let mut request = self.http.request(method, address).body(body);
        if !authorization.is_empty() {
            request = request.header("authorization", authorization);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer {
            status,
            headers,
            body: response.bytes().await.expect("a body").to_vec(),
        }
    }

    /// A GET as the device.
    pub async fn get(&self, device: &str, rest: &str) -> Answer {
        self.ask(Method::GET, device, rest, &[], Vec::new()).await
    }

    /// A poll; it must be answered with 200.
    pub async fn poll(&self, device: &str) -> Value {
        let answer = self.get(device, "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let poll = answer.json();
        let links = poll["_links"].as_object().expect("links");
        let work = ["cancelAction", "deploymentBase"]
            .iter()
            .filter(|name| links.contains_key(**name))
            .count();
        assert!(work <= 1, "at most one of cancelAction and deploymentBase: {poll}");
        let both = links.contains_key("configData") && links.contains_key("deploymentBase");
        assert!(!both, "configData starves an offer: {poll}");
        poll
    }

    /// The link of work that a poll gives; `None`: no work.
    pub async fn offered(&self, device: &str) -> Option<String> {
        link(&self.poll(device).await, "deploymentBase")
    }

    /// The action that the device is offered.
    pub async fn action(&self, device: &str) -> String {
        let href = self.offered(device).await;
        let href = href.unwrap_or_else(|| panic!("{device} is offered nothing at {}", self.now()));
        action_in(&href)
    }

    /// A word about an action; the status of the answer. A tick follows.
    pub async fn say(&self, device: &str, action: &str, execution: &str, finished: &str, details: &[&str]) -> u16 {
        let body = json!({ "id": action, "time": "20250305T001000",
            "status": { "execution": execution, "details": details, "result": { "finished": finished } } });
        let answer = self.feedback(device, action, body.to_string().into_bytes()).await;
        self.tick().await;
        answer.status
    }

    /// Any body as a word about an action.
    pub async fn feedback(&self, device: &str, action: &str, body: Vec<u8>) -> Answer {
        let rest = format!("/deploymentBase/{action}/feedback");
        self.ask(
            Method::POST,
            device,
            &rest,
            &[("content-type", "application/json")],
            body,
        )
        .await
    }

    /// Starts the device's open action; gives its id.
    pub async fn start(&self, device: &str) -> String {
        let action = self.action(device).await;
        assert_eq!(
            self.say(device, &action, "proceeding", "none", &["Downloading."]).await,
            200
        );
        action
    }

    /// A report of facts. A tick follows.
    pub async fn config(&self, device: &str, body: &Value) -> Answer {
        let answer = self
            .ask(
                Method::PUT,
                device,
                "/configData",
                &[("content-type", "application/json")],
                body.to_string().into_bytes(),
            )
            .await;
        self.tick().await;
        answer
    }

    /// Reports the version of the device's only component.
    pub async fn report_version(&self, device: &str, version: &str) {
        let answer = self.config(device, &json!({ "data": { "sw_version": version } })).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// The device's answer to a cancel.
    pub async fn answer_cancel(&self, device: &str, action: &str, execution: &str, finished: &str) -> u16 {
        let body = json!({ "id": action, "status": { "execution": execution, "result": { "finished": finished } } });
        let rest = format!("/cancelAction/{action}/feedback");
        let headers = [("content-type", "application/json")];
        let answer = self
            .ask(Method::POST, device, &rest, &headers, body.to_string().into_bytes())
            .await;
        self.tick().await;
        answer.status
    }
}
