// Each test writes small crates into a temporary folder and asks tools/circles.mjs about them.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, test } from "node:test";
import { fileURLToPath } from "node:url";

import { faults } from "./circles.mjs";

const folders = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

/** A workspace with the crate `house`. `files`: their text, by their path in its `src`. */
function workspace(files, allowed) {
  const folder = mkdtempSync(join(tmpdir(), "circles-"));
  folders.push(folder);
  write(folder, "Cargo.toml", '[workspace]\nmembers = [\n  "house",\n]\n');
  write(folder, "house/src/lib.rs", "pub mod a;\npub mod b;\npub mod c;\n");
  for (const [name, text] of Object.entries(files)) write(folder, `house/src/${name}`, text);
  if (allowed !== undefined) write(folder, "tools/circles-allowed.txt", allowed);
  return folder;
}

function write(folder, name, text) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}

const found = (files, allowed) => faults(workspace(files, allowed));

const TWO = { "a.rs": "use crate::b::B;\n", "b.rs": "use crate::a::A;\n" };

test("a circle of two files is named with the lines that make it", () => {
  assert.deepEqual(found({ "a.rs": "//! A.\n\nuse crate::b::B;\n", "b.rs": "use crate::a::{self, A};\n" }), [
    [
      "A circle of 2 files:",
      "  house/src/a.rs",
      "  -> house/src/b.rs (line 3: use crate::b::B)",
      "  -> house/src/a.rs (line 1: use crate::a)",
    ].join("\n"),
  ]);
});

test("a circle of three files is named", () => {
  const [circle, ...others] = found({ "a.rs": "use crate::b::B;\n", "b.rs": "use crate::c::C;\n", "c.rs": "use crate::a::A;\n" });
  assert.match(circle, /^A circle of 3 files:\n {2}house\/src\/a\.rs\n/);
  assert.match(circle, /-> house\/src\/b\.rs .*\n {2}-> house\/src\/c\.rs .*\n {2}-> house\/src\/a\.rs .*$/);
  assert.deepEqual(others, []);
});

test("of files that several circles join the shortest circle is named, and the other files", () => {
  const [circle, ...others] = found({ ...TWO, "b.rs": "use crate::a::A;\nuse crate::c::C;\n", "c.rs": "use crate::a::A;\n" });
  assert.match(circle, /^A circle of 2 files:/);
  assert.match(circle, /These also lead there and back: house\/src\/c\.rs$/);
  assert.deepEqual(others, []);
});

test("every circle is named, the one of most files first", () => {
  const three = { "c/d.rs": "use super::e::E;\n", "c/e.rs": "use super::f::F;\n", "c/f.rs": "use super::d::D;\n" };
  const circles = found({ ...TWO, ...three, "b.rs": "use crate::a::A;\nuse crate::c::d::D;\n" });
  assert.match(circles[0], /^A circle of 3 files:\n {2}house\/src\/c\/d\.rs(\n {2}-> .*){3}$/);
  assert.match(circles[1], /^A circle of 2 files:\n {2}house\/src\/a\.rs(\n {2}-> .*){2}$/);
  assert.equal(circles.length, 2);
});

test("files that use each other in one direction are no circle", () => {
  assert.deepEqual(found({ "a.rs": "use crate::b::B;\nuse crate::c::C;\n", "b.rs": "use crate::c::C;\n", "c.rs": "use std::fmt;\n" }), []);
});

for (const [form, text] of Object.entries({
  "a nested brace over several lines": "use crate::{\n    c::{C, D},\n    b::{self as bee, deep::{E, F as G}},\n};\n",
  "a glob": "use crate::b::*;\n",
  "another name": "use crate::b as bee;\n",
  "super": "use super::b::B;\n",
  "self and super": "use self::super::b::B;\n",
  "an item that is passed on": "pub(crate) use crate::b::B;\n",
  "a path in the code": "fn f() -> u8 {\n    crate::b::g(1)\n}\n",
  "a path in a macro": "macro_rules! m { () => { $crate::b::g() } }\n",
  "a use in a function": "fn f() {\n    use crate::b::B;\n}\n",
  "super in a module of its own within the file": "mod inner {\n    use super::super::b::B;\n}\n",
  "code behind a lifetime, characters and strings":
    "fn f<'a>(c: &'a str) { let _ = ('\"', '\\'', \"\\\"//\", r#\"\"/*\"#); crate::b::g() }\n",
  "code behind a test": "#[cfg(test)]\nmod tests {\n    #[cfg(test)]\n    fn f() {}\n}\n\nuse crate::b::B;\n",
}))
  test(`a circle is found through ${form}`, () => {
    const circles = found({ "a.rs": text, "b.rs": "use crate::a::A;\n", "c.rs": "" });
    assert.equal(circles.length, 1);
    assert.match(circles[0], /-> house\/src\/b\.rs/);
  });

test("a path through a module that a use has named leads to the deepest file", () => {
  const [circle] = found({ "a.rs": "use crate::c;\nfn f() { c::d::g() }\n", "c/mod.rs": "pub mod d;\n", "c/d.rs": "use crate::a::A;\n" });
  assert.match(circle, /-> house\/src\/c\/d\.rs \(line 2: c::d::g\)/);
});

test("the names in a nested brace keep the path before it", () => {
  const [circle] = found({ "a.rs": "use crate::{b::B, c::{d::D, e::{self, E}}};\n", "c/e.rs": "use crate::a::A;\n" });
  assert.match(circle, /-> house\/src\/c\/e\.rs \(line 1: use crate::c::e\)/);
});

test("what a module passes on is an edge of that module", () => {
  const [circle] = found({ "a.rs": "use crate::c::B;\n", "c/mod.rs": "pub use crate::b::B;\n", "b.rs": "use crate::a::A;\n" });
  assert.match(circle, /-> house\/src\/c\/mod\.rs .*\n {2}-> house\/src\/b\.rs /);
});

test("edges from a module to a module inside it do not count", () => {
  const files = {
    "c/mod.rs": "mod d;\nuse d::D;\nuse self::d::E;\nuse crate::c::d::F;\n",
    "c/d.rs": "use crate::b::B;\n",
    "b.rs": "use crate::c::C;\n",
  };
  assert.deepEqual(found(files), []);
});

test("edges from a module to a module around it do not count", () => {
  const files = {
    "c.rs": "use crate::b::B;\n",
    "c/d/e.rs": "use super::super::C;\nuse crate::c::D;\n",
    "b.rs": "use crate::c::d::e::E;\n",
  };
  assert.deepEqual(found(files), []);
});

test("a module and the modules inside it are no circle", () => {
  const files = {
    "c/mod.rs": "mod d;\nuse self::d::D;\nuse crate::c::d::e::E;\n",
    "c/d.rs": "use super::C;\nuse self::e::E;\n",
    "c/d/e.rs": "use crate::c::C;\nuse super::D;\n",
  };
  assert.deepEqual(found(files), []);
});

test("edges to the crate's root and from it do not count", () => {
  const modules = { "a.rs": "use crate::House;\n", "b.rs": "use super::House;\n" };
  for (const root of ["lib.rs", "main.rs"]) {
    assert.deepEqual(found({ ...modules, [root]: "mod a;\nmod b;\nuse crate::a::A;\npub use self::b::B;\n" }), []);
  }
});

for (const [kind, text] of Object.entries({
  "a comment": "// use crate::b::B;\n/* use crate::b::B; /* and */ crate::b::g() */\n//! [`crate::b::B`]\n",
  "a string": 'const S: &str = "use crate::b::B;";\nconst R: &str = r#"a "crate::b::B" b"#;\n',
  "a module of tests": "#[cfg(test)]\nmod tests {\n    use crate::b::B;\n    fn f() { crate::b::g() }\n}\n",
  "a test behind a feature": '#[cfg(all(test, feature = "zones"))]\nmod tests {\n    use crate::b::B;\n}\n',
  "a use for tests": "#[cfg(test)]\nuse crate::b::{B, C};\n",
  "a visibility": "pub(in crate::b) fn f() {}\n",
  "super in a module within the file": "mod inner {\n    use super::b::B;\n}\n",
  "a captured lifetime": "fn f<'a>() -> impl Sized + use<'a> { std::iter::empty() }\n",
  "another crate": "use house::b::B;\nuse b::B;\n",
}))
  test(`${kind} makes no edge`, () => assert.deepEqual(found({ "a.rs": text, "b.rs": "use crate::a::A;\n" }), []));

test("a module of tests with a file of its own makes no edges", () => {
  const files = { "a.rs": "#[cfg(test)]\nmod tests;\n", "a/tests.rs": "use crate::b::B;\n", "b.rs": "use crate::a::tests::T;\n" };
  assert.deepEqual(found(files), []);
});

test("the folders of tests and benches do not count", () => {
  const folder = workspace({ "a.rs": "use crate::b::B;\n", "b.rs": "" });
  write(folder, "house/tests/one.rs", "mod two;\nuse crate::two::T;\n");
  write(folder, "house/tests/two.rs", "use crate::one::O;\n");
  assert.deepEqual(faults(folder), []);
});

const ALLOWED = "house/src/b.rs -> house/src/a.rs: B shall be split\n";
const UNNEEDED = "tools/circles-allowed.txt, line 1: there is no circle without this line either. Remove it.";

test("an allowed edge closes no circle", () => {
  assert.deepEqual(found(TWO, `# For people.\n\n${ALLOWED}`), []);
});

test("an allowed edge without a reason is a fault, and the circle is named", () => {
  for (const line of ["house/src/b.rs -> house/src/a.rs", "house/src/b.rs -> house/src/a.rs: "]) {
    const [circle, reason] = found(TWO, line);
    assert.match(circle, /^A circle of 2 files:/);
    assert.equal(reason, "tools/circles-allowed.txt, line 1: say why house/src/b.rs may name house/src/a.rs, after a colon.");
  }
});

test("an allowed edge that does not exist any more is a fault", () => {
  const files = { "a.rs": "use crate::b::B;\n", "b.rs": "" };
  assert.deepEqual(found(files, ALLOWED), [
    "tools/circles-allowed.txt, line 1: house/src/b.rs does not name house/src/a.rs any more. Remove this line.",
  ]);
});

test("an allowed edge without which there is no circle either is a fault", () => {
  const files = { "a.rs": "", "b.rs": "use crate::a::A;\n" };
  assert.deepEqual(found(files, ALLOWED), [UNNEEDED]);
});

test("of two allowed edges of one circle one is not needed", () => {
  const both = `house/src/a.rs -> house/src/b.rs: A shall be split\n${ALLOWED}`;
  assert.deepEqual(found(TWO, both), [UNNEEDED]);
});

test("a line that is no edge, and one that stands there twice, are faults", () => {
  assert.deepEqual(found(TWO, `a.rs and b.rs\n${ALLOWED}${ALLOWED}`), [
    'tools/circles-allowed.txt, line 1: write "from.rs -> to.rs: reason".',
    "tools/circles-allowed.txt, line 3: this edge is listed twice.",
  ]);
});

test("the program says what is wrong and ends with 1, or says nothing and ends with 0", () => {
  const program = fileURLToPath(new URL("circles.mjs", import.meta.url));
  const run = (folder) => spawnSync(process.execPath, [program, folder], { encoding: "utf8" });
  const wrong = run(workspace(TWO));
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /must not use each other in a circle \(docs\/architecture\.md\):\n\nA circle of 2 files:/);
  const right = run(workspace(TWO, ALLOWED));
  assert.deepEqual([right.status, right.stdout, right.stderr], [0, "", ""]);
});
