#!/usr/bin/env node
// Names circles between the files of a crate: tools/circles.mjs [FOLDER OF THE WORKSPACE]
//
// Files that use each other in a circle can only be understood, tested and moved together. docs/architecture.md has the rule
// ("The crates"). The compiler forbids circles between crates, and none between the files of one.
//
// An edge goes from a file to a file of the same crate that it names: in a `use`, or by a path in the code that begins with
// `crate`, `self` or `super`. A name that a module passes on with `pub use` belongs to that module. Not counted are edges to the
// crate's root, edges between a module and the modules inside it, and what stands in comments, strings and tests.
//
// tools/circles-allowed.txt lists the edges that may close a circle. That list can only shrink: an entry that is not needed any
// more is a fault as well. Start reading with `faults`.

import { existsSync, readFileSync, readdirSync, realpathSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ALLOWED = "tools/circles-allowed.txt";

/** Each fault of the workspace in that folder, as a text for people. */
export function faults(workspace) {
  const all = graph(workspace);
  const { entries, mistakes } = allowedEdges(workspace);
  const existing = entries.filter(({ from, to }) => all.get(from)?.has(to));
  const gone = entries.filter((entry) => !existing.includes(entry));
  const forbidden = without(all, existing);
  return [
    ...components(forbidden).map((files) => circleText(forbidden, files)),
    ...mistakes,
    ...gone.map((entry) => `${place(entry)}: ${entry.from} does not name ${entry.to} any more. Remove this line.`),
    ...unneeded(all, existing).map((entry) => `${place(entry)}: there is no circle without this line either. Remove it.`),
  ];
}

// The edges of a workspace: a map from a file to the files that it names, each with the first place where it does.

function graph(workspace) {
  const edges = new Map();
  for (const member of members(workspace)) {
    const { fileOf, sources } = crate(workspace, member);
    for (const source of sources) edges.set(source.file, edgesOf(source, fileOf));
  }
  return edges;
}

function members(workspace) {
  const list = /^members\s*=\s*\[([^\]]*)\]/m.exec(readFileSync(join(workspace, "Cargo.toml"), "utf8"));
  if (!list) throw new Error("Cargo.toml has no list of members");
  return [...list[1].matchAll(/"([^"]+)"/g)].map(([, member]) => member);
}

/** The modules of a crate that have a file of their own. `fileOf` has them by path: `planner::rooms`, the root is "". */
function crate(workspace, member) {
  const folder = join(workspace, member, "src");
  const sources = readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(".rs"))
    .sort()
    .map((name) => ({
      file: relative(workspace, join(folder, name)),
      module: moduleOf(name),
      ...codeAndTests(readFileSync(join(folder, name), "utf8")),
    }));
  const tests = sources.flatMap(({ module, testModules }) => testModules.map((name) => inside(module, name)));
  const counted = sources.filter(({ module }) => !tests.some((test) => module === test || isInside(module, test)));
  return { sources: counted, fileOf: new Map(counted.map(({ module, file }) => [module, file])) };
}

/** `planner/rooms.rs` and `planner/rooms/mod.rs` are both `planner::rooms`. */
function moduleOf(name) {
  if (name === "lib.rs" || name === "main.rs") return "";
  const path = name.replace(/\.rs$/, "").split("/");
  return (path.at(-1) === "mod" ? path.slice(0, -1) : path).join("::");
}

const inside = (module, name) => (module === "" ? name : `${module}::${name}`);

/** Everything is inside the root. */
const isInside = (module, outer) => outer === "" || module.startsWith(`${outer}::`);

function edgesOf({ module, code }, fileOf) {
  const edges = new Map();
  for (const { path, line, text } of pathsIn(code, module)) {
    const target = deepestModule(path, fileOf);
    const isNested = target === module || isInside(target, module) || isInside(module, target);
    if (!isNested && !edges.has(fileOf.get(target))) edges.set(fileOf.get(target), { line, text });
  }
  return edges;
}

/** The module at the longest part of a path that has a file; what follows is an item in it. */
function deepestModule(path, fileOf) {
  for (let length = path.length; length > 0; length--) {
    const module = path.slice(0, length).join("::");
    if (fileOf.has(module)) return module;
  }
  return "";
}

// Rust. Whatever does not count is replaced by blanks, so that the rest keeps its lines.

const COMMENT_OR_LITERAL = new RegExp(
  [
    /\/\/[^\n]*/, // a comment to the end of the line
    /\/\*(?:\/\*[^]*?\*\/|[^])*?\*\//, // a comment between marks, which may hold another
    /\b[bc]?r(#*)"[^]*?"\1/, // a raw string
    /"(?:\\[^]|[^\\"])*"/, // a string
    /'(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'])'/, // a character; 'a without a quote behind it is a lifetime
  ]
    .map(({ source }) => source)
    .join("|"),
  "gu",
);
const TEST_ITEM = /#\[cfg\((?:all\()?test\b[^\]]*\]/;
const USE = /\buse\s+([\w:${][^;]*);/g;
const PATH = /(?<!\(in |[\w:])\w+(?:::\w+)+/g;
const INLINE_MODULE = /\bmod\s+(\w+)\s*\{/g;

/** The code alone, and the names of the modules that are tests and have a file of their own. */
function codeAndTests(text) {
  let code = text.replace(COMMENT_OR_LITERAL, blanks);
  const testModules = [];
  for (let start; (start = code.search(TEST_ITEM)) >= 0; ) {
    const end = endOfItem(code, start);
    const name = /\bmod\s+(\w+)\s*;/.exec(code.slice(start, end))?.[1];
    if (name) testModules.push(name);
    code = blanked(code, start, end);
  }
  return { code, testModules };
}

/** An item ends with its semicolon or with its last brace. */
function endOfItem(code, start) {
  let depth = 0;
  for (let at = start; at < code.length; at++) {
    if ("([{".includes(code[at])) depth++;
    if (")]}".includes(code[at])) depth--;
    if (depth <= 0 && ";}".includes(code[at])) return at + 1;
  }
  return code.length;
}

const blanks = (text) => text.replace(/[^\n]/g, " ");
const blanked = (text, from, to) => text.slice(0, from) + blanks(text.slice(from, to)) + text.slice(to);

/** Each path that the code of a module names, from the crate's root: `["rooms", "ids_in"]`. */
function pathsIn(code, module) {
  const modules = inlineModules(code);
  const uses = [...code.matchAll(USE)];
  const rest = uses.reduce((left, { 0: use, index }) => blanked(left, index, index + use.length), code);
  const named = uses.flatMap(({ 0: use, 1: tree, index }) => namesIn(tree, index + use.indexOf(tree)));
  const imported = new Map(named.map(({ local, names }) => [local, names]));
  const written = [...rest.matchAll(PATH)].map(({ 0: text, index }) => {
    const [first, ...others] = text.split("::");
    return { names: [...(imported.get(first) ?? [first]), ...others], at: index, text };
  });
  return [...named, ...written]
    .map(({ names, at, text }) => ({ path: fromRoot(names, modulePath(module, modules, at)), at, text }))
    .filter(({ path }) => path)
    .map((found) => ({ ...found, line: lineOf(code, found.at) }));
}

/** The names in the tree of a `use`: `a::{b::C, d as e}` has `["a", "b", "C"]`, and `["a", "d"]`, here called `e`. */
function namesIn(tree, at, outer = []) {
  const brace = tree.indexOf("{");
  const [head, local] = (brace < 0 ? tree : tree.slice(0, brace)).split(/\s+as\s+/);
  const names = [...outer, ...(head.match(/\w+/g) ?? [])];
  if (brace >= 0) {
    const inner = tree.slice(brace + 1, tree.lastIndexOf("}"));
    return branches(inner).flatMap((branch) => namesIn(branch.text, at + brace + 1 + branch.at, names));
  }
  const path = names.filter((name, index) => name !== "self" || index === 0);
  const text = `use ${path.join("::")}${head.includes("*") ? "::*" : ""}`;
  return [{ names: path, local: local?.trim() ?? path.at(-1), at: at + head.search(/\S/), text }];
}

/** What stands between the commas of a list, without cutting the lists inside it. */
function branches(list) {
  const found = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at <= list.length; at++) {
    if (list[at] === "{") depth++;
    if (list[at] === "}") depth--;
    const ends = at === list.length || (list[at] === "," && depth === 0);
    if (!ends) continue;
    found.push({ text: list.slice(start, at), at: start });
    start = at + 1;
  }
  return found.filter(({ text }) => text.trim() !== "");
}

function inlineModules(code) {
  return [...code.matchAll(INLINE_MODULE)].map(({ 1: name, index }) => ({ name, start: index, end: endOfItem(code, index) }));
}

function modulePath(module, modules, at) {
  const around = modules.filter(({ start, end }) => start < at && at < end).map(({ name }) => name);
  return [...(module === "" ? [] : module.split("::")), ...around];
}

/** The path from the crate's root; undefined for one that begins elsewhere. `here` is the module that names it. */
function fromRoot(names, here) {
  if (!["crate", "self", "super"].includes(names[0])) return undefined;
  const path = names[0] === "crate" ? [] : [...here];
  for (const name of names) {
    if (name === "super") path.pop();
    else if (name !== "crate" && name !== "self") path.push(name);
  }
  return path;
}

const lineOf = (code, at) => code.slice(0, at).split("\n").length;

// Circles.

/** Sets of files of which each leads to all others, biggest first. A file alone is none. */
function components(edges) {
  const reach = new Map([...edges.keys()].map((file) => [file, reachable(edges, file)]));
  const circular = [...edges.keys()].filter((file) => reach.get(file).has(file));
  const component = (file) => circular.filter((other) => reach.get(file).has(other) && reach.get(other).has(file));
  return circular
    .map(component)
    .filter((files, index) => files[0] === circular[index])
    .sort((one, other) => other.length - one.length);
}

function reachable(edges, start) {
  const reached = new Set();
  const waiting = [start];
  while (waiting.length > 0) {
    for (const next of edges.get(waiting.pop())?.keys() ?? []) {
      if (!reached.has(next)) waiting.push(next);
      reached.add(next);
    }
  }
  return reached;
}

/** The files on the shortest way from a file back to itself; it stands at both ends. */
function shortestCircle(edges, start) {
  const ways = [[start]];
  const seen = new Set();
  for (const way of ways) {
    for (const next of edges.get(way.at(-1))?.keys() ?? []) {
      if (next === start) return [...way, start];
      if (!seen.has(next)) ways.push([...way, next]);
      seen.add(next);
    }
  }
  throw new Error(`no way leads from ${start} back to it`);
}

function circleText(edges, files) {
  const [circle] = files.map((file) => shortestCircle(edges, file)).sort((one, other) => one.length - other.length);
  const steps = circle.slice(1).map((file, index) => {
    const { line, text } = edges.get(circle[index]).get(file);
    return `  -> ${file} (line ${line}: ${text})`;
  });
  const others = files.filter((file) => !circle.includes(file));
  const more = others.length > 0 ? [`  These also lead there and back: ${others.join(", ")}`] : [];
  return [`A circle of ${steps.length} files:`, `  ${circle[0]}`, ...steps, ...more].join("\n");
}

// Edges that are allowed.

/** Lines `from.rs -> to.rs: reason`; empty lines and lines that begin with # are for people. */
function allowedEdges(workspace) {
  const file = join(workspace, ALLOWED);
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  const entries = [];
  const mistakes = [];
  lines.forEach((text, index) => {
    if (text.trim() === "" || text.startsWith("#")) return;
    const [, from, to, reason] = /^(\S+) -> ([^\s:]+)(?::\s*(.*))?$/.exec(text) ?? [];
    const entry = { from, to, line: index + 1 };
    if (!from) mistakes.push(`${place(entry)}: write "from.rs -> to.rs: reason".`);
    else if (!reason) mistakes.push(`${place(entry)}: say why ${from} may name ${to}, after a colon.`);
    else if (lists(entries, from, to)) mistakes.push(`${place(entry)}: this edge is listed twice.`);
    else entries.push(entry);
  });
  return { entries, mistakes };
}

const lists = (entries, from, to) => entries.some((entry) => entry.from === from && entry.to === to);
const place = ({ line }) => `${ALLOWED}, line ${line}`;

function without(edges, entries) {
  const left = (from, targets) => new Map([...targets].filter(([to]) => !lists(entries, from, to)));
  return new Map([...edges].map(([from, targets]) => [from, left(from, targets)]));
}

/** Entries that can go, all together, without a new circle. */
function unneeded(all, entries) {
  let needed = entries;
  for (const entry of entries) {
    const fewer = needed.filter((other) => other !== entry);
    if (!reachable(without(all, fewer), entry.to).has(entry.from)) needed = fewer;
  }
  return entries.filter((entry) => !needed.includes(entry));
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const found = faults(process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url)));
  if (found.length > 0) {
    console.error(`Files of a crate must not use each other in a circle (docs/architecture.md):\n\n${found.join("\n\n")}`);
    process.exitCode = 1;
  }
}
