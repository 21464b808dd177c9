// Each test gives tools/docs.mjs the text of one file and asks what it finds.

import assert from "node:assert/strict";
import { test } from "node:test";

import { faultsOf } from "./docs.mjs";

const HEAD = "//! What this is for.\n\n";
const found = (text) => faultsOf(HEAD + text).map(({ line, what }) => `${line}: ${what}`);

test("a file says what its module is for", () => {
  assert.deepEqual(faultsOf("use std::fmt;\n"), [{ line: 1, what: "the file does not say what its module is for" }]);
});

test("a public item says what it is for", () => {
  assert.deepEqual(found("pub fn plan() {}\n"), ["3: plan has no doc"]);
  assert.deepEqual(found("pub const MOST: u32 = 3;\n"), ["3: MOST has no doc"]);
  assert.deepEqual(found("impl A {\n    pub async fn read(&self) {}\n}\n"), ["4: read has no doc"]);
  assert.deepEqual(found("/// Plans a slice.\npub fn plan() {}\n"), []);
  assert.deepEqual(found("pub(crate) fn plan() {}\nfn other() {}\npub use a::B;\npub mod c;\n"), []);
});

test("attributes may stand between a doc and its item", () => {
  assert.deepEqual(found("/// A ring.\n#[derive(Clone, Debug)]\n#[serde(rename_all = \"snake_case\")]\npub enum Ring {}\n"), []);
  assert.deepEqual(found('/// Plans.\n#[expect(\n    clippy::a,\n    reason = "so it is"\n)]\npub fn plan() {}\n'), []);
  assert.deepEqual(found("#[must_use]\npub fn plan() {}\n"), ["4: plan has no doc"]);
  assert.deepEqual(found("fn other() {\n    b(a,\n        c)\n}\n\n#[must_use]\npub fn plan() {}\n"), ["9: plan has no doc"]);
});

test("a field needs no doc, and none that only repeats its name", () => {
  assert.deepEqual(found("/// A room.\npub struct Room {\n    pub name: String,\n    zone: Zone,\n}\n"), []);
  assert.deepEqual(found("/// A room.\npub struct Room {\n    /// Its name.\n    pub name: String,\n}\n"), [
    '6: the doc of name repeats its name: "Its name."',
  ]);
  assert.deepEqual(found("struct Room {\n    /// The devices.\n    #[serde(default)]\n    devices: Vec<Device>,\n}\n"), [
    '6: the doc of devices repeats its name: "The devices."',
  ]);
  assert.deepEqual(found("struct Room {\n    /// Seconds, 5 to 86 399.\n    poll_seconds: u32,\n}\n"), []);
  assert.deepEqual(found("struct Room {\n    /// The name.\n    /// Unique at its site.\n    name: String,\n}\n"), []);
});

test("so it is with a variant", () => {
  assert.deepEqual(found("enum Why {\n    /// Not paused.\n    NotPaused,\n    /// It was moved (R12).\n    Moved { at: Instant },\n}\n"), [
    '5: the doc of NotPaused repeats its name: "Not paused."',
  ]);
});

test("tests are not looked at", () => {
  assert.deepEqual(found("fn a() {}\n\n#[cfg(test)]\nmod tests {\n    pub fn plan() {}\n}\n"), []);
});
