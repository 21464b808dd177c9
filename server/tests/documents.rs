//! The documents say what the code is: every function that `docs/architecture.md` names stands where it says, its two ways are short
//! enough to be read, every link in a document leads to a file, and nothing cites a document that is not here.
//!
//! Only text is read here. A test that fails names the line: correct the document, or the name in the code.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

const ARCHITECTURE: &str = "docs/architecture.md";

/// The folder in which `README.md` lies.
fn root() -> PathBuf {
    let server = Path::new(env!("CARGO_MANIFEST_DIR"));
    server.parent().expect("a folder above the crate's").to_owned()
}

/// A file of the repository.
fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path} cannot be read: {error}"))
}

/// What stands between backticks.
fn code_in(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// The functions that a text names in the form `path/of/file.rs: function_name`: (path, function).
fn functions_in(text: &str) -> Vec<(&str, &str)> {
    let named = code_in(text).filter_map(|code| code.split_once(": "));
    named.filter(|(path, _)| path.ends_with(".rs")).collect()
}

/// Whether a source has a function of this name.
fn defines(source: &str, function: &str) -> bool {
    let definition = format!("fn {function}");
    let mut found = source.match_indices(&definition);
    found.any(|(at, _)| source[at + definition.len()..].starts_with(['(', '<']))
}

/// The numbered lines of a document's section: (number, line).
fn steps<'d>(document: &'d str, heading: &str) -> Vec<(usize, &'d str)> {
    let below = document.lines().skip_while(|line| *line != heading).skip(1);
    let section = below.take_while(|line| !line.starts_with("## "));
    let numbered = section.filter_map(|line| {
        let (number, _) = line.split_once(". ")?;
        Some((number.parse::<usize>().ok()?, line))
    });
    numbered.collect()
}

/// Where the links of a text lead to, other pages of the web and places in the same document aside.
fn links_in(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let paths = targets.map(|(target, _)| target.split('#').next().unwrap_or_default());
    let is_outside = |path: &str| path.contains("://") || path.starts_with("mailto:");
    paths.filter(|path| !path.is_empty() && !is_outside(path)).collect()
}

/// Files of people's text in a folder and below it; what tools make is left out.
fn texts_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        if path.is_dir() {
            if !name.starts_with('.') && !["target", "node_modules"].contains(&name) {
                texts_below(&path, found);
            }
        } else if let Some(kind) = path.extension().and_then(OsStr::to_str)
            && ["rs", "sql", "ts", "md", "scenario", "css", "toml"].contains(&kind)
        {
            found.push(path);
        }
    }
}

/// `README.md` and the documents in `docs`.
fn documents() -> Vec<String> {
    let entries = fs::read_dir(root().join("docs")).expect("the folder docs");
    let names = entries.map(|entry| entry.expect("an entry of docs").file_name());
    let names = names.map(|name| name.into_string().expect("a name in UTF-8"));
    let mut documents: Vec<String> = names
        .filter(|name| name.ends_with(".md"))
        .map(|name| format!("docs/{name}"))
        .collect();
    documents.push("README.md".to_owned());
    documents.sort();
    documents
}

#[test]
fn every_function_that_the_architecture_names_stands_in_the_file_that_it_names() {
    let document = read(ARCHITECTURE);
    let functions = functions_in(&document);
    assert!(functions.len() > 40, "only {} functions were found", functions.len());
    for (path, function) in functions {
        assert!(
            root().join(path).is_file(),
            "{ARCHITECTURE} names {path}: there is no such file"
        );
        assert!(
            defines(&read(path), function),
            "{ARCHITECTURE} names `{path}: {function}`: it is not there"
        );
    }
}

/// Whether a backticked text names a file from the root of the project on.
fn is_path(text: &str) -> bool {
    let is_named = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let kinds = [".rs", ".md", ".ts", ".mjs", ".toml", ".sql", ".css", ".txt"];
    let folders = [
        "app/",
        "server/",
        "docs/",
        "tools/",
        "end2end/",
        "style/",
        "frontend/",
        "migrations/",
    ];
    text.chars().all(is_named)
        && folders.iter().any(|folder| text.starts_with(folder))
        && kinds.iter().any(|kind| text.ends_with(kind))
}

#[test]
fn every_file_that_a_document_or_a_comment_names_is_there() {
    let mut files = Vec::new();
    texts_below(&root(), &mut files);
    let mut named = 0;
    for file in files {
        let text = fs::read_to_string(&file).expect("a text");
        let is_code = file.extension().and_then(OsStr::to_str) != Some("md");
        for line in text
            .lines()
            .filter(|line| !is_code || line.trim_start().starts_with("//"))
        {
            for path in line.split('`').skip(1).step_by(2).filter(|text| is_path(text)) {
                named += 1;
                let whole = root().join(path);
                assert!(
                    whole.is_file(),
                    "{} names {path}: there is no such file",
                    file.display()
                );
            }
        }
    }
    assert!(named > 60, "only {named} files are named");
}

#[test]
fn the_way_of_a_click_has_at_most_45_steps_and_that_of_a_report_at_most_50() {
    let document = read(ARCHITECTURE);
    for (heading, most) in [("## The way of one click: Pause", 45), ("## The way of one report", 50)] {
        let steps = steps(&document, heading);
        assert!((20..=most).contains(&steps.len()), "{heading}: {} steps", steps.len());
        for (expected, (number, line)) in (1..).zip(steps) {
            assert_eq!(number, expected, "{heading}: a number is out of order: {line}");
            assert_eq!(
                functions_in(line).len(),
                1,
                "{heading}: a step names one function: {line}"
            );
        }
    }
}

#[test]
fn the_way_of_a_report_leads_from_the_wire_through_the_conversation_to_the_next_ring() {
    let document = read(ARCHITECTURE);
    let steps = steps(&document, "## The way of one report");
    let named: Vec<(&str, &str)> = steps.iter().flat_map(|(_, line)| functions_in(line)).collect();
    assert!(
        named
            .first()
            .is_some_and(|(path, _)| path.starts_with("server/src/ddi/"))
    );
    // What is loaded is judged in the domain, once for words and once for facts, before anything is written.
    let stations = [
        ("server/store/src/devices/reports.rs", "judge"),
        ("app/domain/src/conversation/hear.rs", "hear"),
        ("server/store/src/devices/reports.rs", "write_heard"),
        ("app/domain/src/conversation/inventory.rs", "take"),
        ("server/store/src/devices/inventory.rs", "put_inventory"),
        ("app/domain/src/planner/rooms.rs", "plan_room"),
        ("app/domain/src/planner/rings.rs", "enter"),
    ];
    let places = stations.map(|station| {
        let place = named.iter().position(|step| *step == station);
        place.unwrap_or_else(|| panic!("no step names {station:?}"))
    });
    assert!(places.is_sorted(), "the steps are out of order: {places:?}");
}

#[test]
fn every_link_in_the_documents_leads_to_a_file() {
    for document in documents() {
        let path = root().join(&document);
        let folder = path.parent().expect("the folder of a document");
        for link in links_in(&read(&document)) {
            assert!(
                folder.join(link).exists(),
                "{document} leads to {link}: there is no such file"
            );
        }
    }
}

#[test]
fn the_documents_that_comments_cite_are_there() {
    let documents = documents();
    // Comments cite rows of the first by their ids, and sections of the second by their numbers.
    for cited in ["docs/spec.md", "docs/devices.md"] {
        assert!(documents.iter().any(|document| document == cited), "{cited} is missing");
    }
}

#[test]
fn no_text_cites_a_document_that_is_not_here() {
    // What documents were called before they were part of the repository.
    const GONE: [&str; 5] = ["DDI.md", "SPEC.md", "DESIGN.md", "../shared", "catalogue/README.md"];
    let mut texts = Vec::new();
    texts_below(&root(), &mut texts);
    assert!(texts.len() > 300, "only {} files were found", texts.len());
    let own = root().join("server/tests/documents.rs");
    // The rows of the specification are copied word by word; its introduction says what they mean by these two.
    let specification = root().join("docs/spec.md");
    let explained = ["DDI.md", "catalogue/README.md"];
    let introduction = read("docs/spec.md");
    for name in explained {
        assert!(
            introduction.contains(&format!("- **`{name}`**")),
            "{name} is not explained"
        );
    }
    for path in texts.iter().filter(|path| **path != own) {
        let text =
            fs::read_to_string(path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
        for (line, number) in text.lines().zip(1..) {
            for gone in GONE {
                if *path == specification && explained.contains(&gone) {
                    continue;
                }
                assert!(!line.contains(gone), "{}:{number} cites {gone}: {line}", path.display());
            }
        }
    }
}
