//! The words of the protocol: what goes out, and how leniently what comes in is read (`docs/devices.md` 2.4).

use std::collections::BTreeMap;

use chrono::DateTime;
use domain::conversation::feedback::{Execution, Feedback, Finished};
use domain::conversation::inventory::{ConfigMode, ConfigReport};
use domain::conversation::programs::{Program, ProgramList};
use serde::Serialize;
use serde_json::{Map, Value, json};
use service::devices::{MaintenanceWindow, PollAnswer, Work};

/// An error as DDI clients know it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorBody {
    pub(crate) error_code: &'static str,
    pub(crate) message: String,
}

/// `HH:MM:SS`, never above 23:59:59: 24:00:00 makes swupdate reject the whole poll.
pub(crate) fn sleep(seconds: u32) -> String {
    let seconds = seconds.clamp(5, 86_399);
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A poll's answer. `base` is the controller's own address.
pub(crate) fn poll(answer: &PollAnswer, base: &str) -> Value {
    use domain::conversation::offer::Offer;
    let mut links = Map::new();
    let mut link = |name: &str, href: String| {
        links.insert(name.to_owned(), json!({ "href": href }));
    };
    match (answer.offer, answer.action) {
        (Offer::Install | Offer::Prefetch, Some(action)) => link(
            "deploymentBase",
            format!("{base}/deploymentBase/{action}?c={}", answer.offer_tag),
        ),
        // Without a query: clients append to this one.
        (Offer::Cancel, Some(action)) => link("cancelAction", format!("{base}/cancelAction/{action}")),
        (Offer::Nothing, _) | (_, None) => {}
    }
    if let Some(installed) = answer.installed {
        link("installedBase", format!("{base}/installedBase/{installed}"));
    }
    if answer.facts_wanted {
        link("configData", format!("{base}/configData"));
    }
    json!({ "config": { "polling": { "sleep": sleep(answer.sleep_seconds) } }, "_links": links })
}

/// What a device is to install: one chunk, for rauc refuses more.
pub(crate) fn deployment(work: &Work, base: &str) -> Value {
    let artifacts: Vec<Value> = work
        .artifacts
        .iter()
        .map(|record| {
            let artifact = &record.artifact;
            let own = format!(
                "{base}/softwaremodules/{}/artifacts/{}",
                record.module, artifact.filename
            );
            let file = artifact.url.clone().unwrap_or_else(|| own.clone());
            let md5sum = format!("{own}.MD5SUM");
            json!({
                "filename": artifact.filename,
                "size": artifact.size,
                "hashes": { "sha1": artifact.sha1, "md5": artifact.md5, "sha256": artifact.sha256 },
                "_links": {
                    "download": { "href": file },
                    "download-http": { "href": file },
                    "md5sum": { "href": md5sum },
                    "md5sum-http": { "href": md5sum },
                },
            })
        })
        .collect();
    let chunk = json!({ "part": work.part, "version": work.version, "name": work.product, "artifacts": artifacts });
    let mut deployment = json!({ "download": "forced", "update": "forced", "chunks": [chunk] });
    match work.window {
        None => {}
        Some(MaintenanceWindow::Available) => deployment["maintenanceWindow"] = json!("available"),
        Some(MaintenanceWindow::Unavailable) => {
            deployment["update"] = json!("skip");
            deployment["maintenanceWindow"] = json!("unavailable");
        }
    }
    json!({ "id": work.action.to_string(), "deployment": deployment })
}

/// Reads a feedback: as JSON where it is JSON, else from the text, for swupdate breaks its failure reports (`docs/devices.md` 2.4).
///
/// # Errors
/// There is no `execution` in it, or one that the protocol does not have.
pub fn parse_feedback(body: &[u8]) -> Result<Feedback, String> {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => from_json(&value),
        Err(_) => from_text(&String::from_utf8_lossy(body), true),
    }
}

/// Reads a feedback of which the middle was left out: from the text.
///
/// # Errors
/// As [`parse_feedback`].
pub(crate) fn parse_shortened_feedback(body: &[u8]) -> Result<Feedback, String> {
    from_text(&String::from_utf8_lossy(body), false)
}

fn from_json(value: &Value) -> Result<Feedback, String> {
    let status = value.get("status").ok_or("status is missing")?;
    let execution = status
        .get("execution")
        .and_then(Value::as_str)
        .ok_or("status.execution is missing")?;
    let finished = status.pointer("/result/finished").and_then(Value::as_str);
    let details = match status.get("details") {
        Some(Value::Array(details)) => details.iter().map(text_of).collect(),
        Some(Value::String(detail)) => vec![detail.clone()],
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
    };
    feedback(execution, finished, details)
}

/// `is_whole`: what is missing was not said.
fn from_text(text: &str, is_whole: bool) -> Result<Feedback, String> {
    let execution = word_after(text, "\"execution\"").ok_or("the body is not JSON, and names no execution")?;
    let finished = word_after(text, "\"finished\"");
    // A report that broke off must not pass for a success.
    if is_whole && finished.is_none() && execution.eq_ignore_ascii_case(Execution::Closed.as_str()) {
        return Err("the body is not JSON, and names no result".to_owned());
    }
    let details = text.find("\"details\"").map(|at| {
        let rest = &text[at + "\"details\"".len()..];
        // One for each line: how much of them is kept, the domain says.
        let rest = rest.trim_start_matches([':', ' ', '[', '"', '\n', '\r', '\t']);
        rest.split("\",")
            .map(|detail| detail.trim_start_matches([' ', '"', '\n', '\r', '\t']).to_owned())
    });
    feedback(&execution, finished.as_deref(), details.into_iter().flatten().collect())
}

/// The quoted word behind a key.
fn word_after(text: &str, key: &str) -> Option<String> {
    let rest = text[text.find(key)? + key.len()..]
        .trim_start()
        .strip_prefix(':')?
        .trim_start()
        .strip_prefix('"')?;
    let word: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
    (!word.is_empty()).then_some(word)
}

fn feedback(execution: &str, finished: Option<&str>, details: Vec<String>) -> Result<Feedback, String> {
    let shortened = |word: &str| word.chars().take(40).collect::<String>();
    let execution = Execution::from_word(&execution.to_lowercase())
        .ok_or_else(|| format!("status.execution {:?} is unknown", shortened(execution)))?;
    let known = finished.map(|word| Finished::from_word(&word.to_lowercase()));
    let finished = match (execution, known) {
        (_, Some(Some(finished))) => finished,
        // A close whose result cannot be read must not pass for a success, and must not be lost (`docs/devices.md` 2.12).
        (Execution::Closed, Some(None) | None) => Finished::Unreadable,
        (_, None) => Finished::None,
        (_, Some(None)) => {
            let word = shortened(finished.unwrap_or_default());
            return Err(format!(
                "status.result.finished {word:?} is unknown; use success, failure or none"
            ));
        }
    };
    Ok(Feedback {
        execution,
        finished,
        details,
    })
}

/// Reads a report of facts. Values that are not strings are taken as their text; null deletes.
///
/// # Errors
/// It is no such report.
pub fn parse_config(body: &[u8]) -> Result<ConfigReport, String> {
    // swupdate cuts values by bytes, which may leave half a character.
    let value: Value = serde_json::from_str(&String::from_utf8_lossy(body))
        .map_err(|error| format!("the body is not JSON: {error}"))?;
    let mode = match value.get("mode").and_then(Value::as_str) {
        None => ConfigMode::Merge,
        Some("merge") => ConfigMode::Merge,
        Some("replace") => ConfigMode::Replace,
        Some("remove") => ConfigMode::Remove,
        Some(other) => {
            return Err(format!(
                "mode {:?} is unknown; use merge, replace or remove",
                other.chars().take(40).collect::<String>()
            ));
        }
    };
    let Some(Value::Object(data)) = value.get("data") else {
        return Err("data is missing; it must be an object".to_owned());
    };
    let mut attributes = BTreeMap::new();
    for (key, value) in data {
        let value = match value {
            Value::Null => None,
            other => Some(text_of(other)),
        };
        attributes.insert(key.clone(), value);
    }
    Ok(ConfigReport { mode, data: attributes })
}

/// Reads a list of programs. Keys that nobody knows are left out: a device may be newer than this program.
///
/// # Errors
/// It is no such list.
pub fn parse_inventory(body: &[u8]) -> Result<ProgramList, String> {
    const TIME: &str = "it must be a time with an offset, such as 2026-03-04T15:30:00+01:00";
    let value: Value = serde_json::from_str(&String::from_utf8_lossy(body))
        .map_err(|error| format!("the body is not JSON: {error}"))?;
    let Some(taken_at) = value.get("taken_at").and_then(Value::as_str) else {
        return Err(format!("taken_at is missing; {TIME}"));
    };
    let taken_at = DateTime::parse_from_rfc3339(taken_at.trim()).map_err(|_| {
        let shortened: String = taken_at.chars().take(40).collect();
        format!("taken_at is {shortened:?}; {TIME}")
    })?;
    let Some(Value::Array(programs)) = value.get("programs") else {
        return Err("programs is missing; it must be a list".to_owned());
    };
    let programs = programs.iter().enumerate().map(|(index, program)| {
        let text = |field: &str| match program.get(field) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                Err(format!("programs[{index}].{field} must be a text"))
            }
        };
        if !program.is_object() {
            return Err(format!("programs[{index}] must be an object with a name"));
        }
        Ok(Program {
            name: text("name")?,
            version: text("version")?,
            publisher: text("publisher")?,
            source: text("source")?,
        })
    });
    Ok(ProgramList {
        taken_at: taken_at.to_utc(),
        programs: programs.collect::<Result<_, String>>()?,
    })
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
