#!/usr/bin/env node
// Names documentation comments that are missing, and those that only repeat a name: tools/docs.mjs [FOLDER OF THE WORKSPACE]
//
// docs/style.md has the rules. Each file begins with what its module is for, and each public item says what it is for. A field or a
// variant has a doc only where its name does not say it all: rustc's own lint would want one on each of them, so that people write
// "Its name." above `name`. Tests are not looked at. Start reading with `faultsOf`.

import { readFileSync, readdirSync, realpathSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ITEM = /^\s*pub (?:async |const |unsafe )*(?:fn|struct|enum|trait|type|static|union|const) (\w+)/;
const FIELD = /^\s+(?:pub(?:\([\w ]+\))? )?(\w+): .*,$/;
const VARIANT = /^\s+([A-Z]\w*)(?:,| \{|\(.*\),?)$/;
/** Words that add nothing to a name. */
const EMPTY = new Set(["a", "an", "the", "its", "their", "this", "that", "of", "it", "is", "are", "has"]);

/** Each fault of the workspace in that folder, as a line for people. */
export function faults(workspace) {
  return sources(workspace).flatMap((file) =>
    faultsOf(readFileSync(join(workspace, file), "utf8")).map(({ line, what }) => `${file}:${line}: ${what}`),
  );
}

function sources(workspace) {
  const list = /^members\s*=\s*\[([^\]]*)\]/m.exec(readFileSync(join(workspace, "Cargo.toml"), "utf8"));
  if (!list) throw new Error("Cargo.toml has no list of members");
  return [...list[1].matchAll(/"([^"]+)"/g)].flatMap(([, member]) => {
    const folder = join(workspace, member, "src");
    const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".rs"));
    return files.sort().map((name) => relative(workspace, join(folder, name)));
  });
}

/** The faults of one file. */
export function faultsOf(text) {
  const lines = text.replace(/^#\[cfg\(test\)\]\n(?:#\[.*\]\n)*mod \w+ \{[^]*/m, "").split("\n");
  const found = [];
  if (!lines[0].startsWith("//!")) found.push({ line: 1, what: "the file does not say what its module is for" });
  lines.forEach((text, index) => {
    const item = ITEM.exec(text);
    if (item && !docAbove(lines, index)) found.push({ line: index + 1, what: `${item[1]} has no doc` });
    const named = FIELD.exec(text) ?? VARIANT.exec(text);
    if (!named) return;
    const doc = docAbove(lines, index);
    if (doc?.length === 1 && repeats(doc[0], named[1])) {
      found.push({ line: index + 1, what: `the doc of ${named[1]} repeats its name: "${doc[0]}"` });
    }
  });
  return found;
}

/** The lines of the doc above a line, attributes between them aside; nothing if there is none. */
function docAbove(lines, index) {
  let above = index - 1;
  for (;;) {
    if (/^\s*#\[doc/.test(lines[above] ?? "")) return ["written by an attribute"];
    if (/^\s*#\[.*\]$/.test(lines[above] ?? "")) {
      above -= 1;
    } else if (/^\s*\)\]$/.test(lines[above] ?? "")) {
      // An attribute over several lines.
      while (above >= 0 && !/^\s*#\[/.test(lines[above])) above -= 1;
      above -= 1;
    } else {
      break;
    }
  }
  const doc = [];
  while (above >= 0 && /^\s*\/\/\//.test(lines[above])) {
    doc.unshift(lines[above].trim().slice(3).trim());
    above -= 1;
  }
  return doc.length > 0 ? doc : undefined;
}

function repeats(doc, name) {
  const words = (text) => text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const of = words(name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replaceAll("_", " "));
  const said = words(doc).filter((word) => !EMPTY.has(word));
  const stem = (word) => word.replace(/s$/, "");
  return said.every((word) => of.some((part) => stem(part) === stem(word)));
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const found = faults(process.argv[2] ?? ".");
  if (found.length > 0) {
    console.error(`Docs say what a name does not say (docs/style.md):\n\n${found.join("\n")}`);
    process.exitCode = 1;
  }
}
