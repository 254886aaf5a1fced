// What can be completed where the cursor is: values of a column between quotes, columns after a table's name and a point, and otherwise
// columns, tables, functions and keywords. The words come from the server; until they are there, keywords alone are offered.

import { pickedCompletion } from "@codemirror/autocomplete";

export const KEYWORDS =
  "select from where group by having order limit offset join left inner full on using with as and or not in is null like between case when " +
  "then else end distinct over partition rows unbounded preceding following current row filter asc desc nulls first last true false all " +
  "union except intersect exists extract interval date rollup cube grouping sets any coalesce nullif cast";

const VALUE = /([A-Za-z_]\w*)\s*(?:=|<>|!=|(?:not\s+)?in\s*\((?:\s*'[^']*'\s*,)*)\s*'([^']*)$/i;
const OF_TABLE = /([A-Za-z_]\w*)\.(\w*)$/;
const AFTER_FROM = /\b(?:from|join)\s+\w*$/i;
const NAMED = /\b(?:from|join)\s+([A-Za-z_]\w*)(?:\s+(?:as\s+)?([A-Za-z_]\w*))?/gi;

// The tables that a text names, by the names and aliases that it gives them.
function named(text, words) {
  const found = new Map();
  for (const [, name, alias] of text.matchAll(NAMED)) {
    const table = words.tables.find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (table) {
      found.set(name.toLowerCase(), table);
      if (alias && !KEYWORDS.includes(alias.toLowerCase())) { found.set(alias.toLowerCase(), table); }
    }
  }
  return found;
}

const column = (one) => ({ label: one.name, type: "property", detail: one.type, info: one.info || undefined, boost: 20 });
const table = (one, boost) => ({ label: one.name, type: "class", detail: "table", info: one.info || undefined, boost });

// Writes a value and the quote that closes it, in place of one that stands there already, and puts the cursor behind that.
const quoting = (quoted) => (view, completion, from, to) => {
  const isClosed = view.state.sliceDoc(to, to + 1) === "'";
  view.dispatch({
    changes: { from, to: isClosed ? to + 1 : to, insert: quoted },
    selection: { anchor: from + quoted.length },
    scrollIntoView: true,
    userEvent: "input.complete",
    annotations: pickedCompletion.of(completion),
  });
};

function values(words, tables, name, from) {
  const all = (tables.length ? tables : words.tables).flatMap((one) => one.columns);
  const found = all.find((one) => one.name.toLowerCase() === name.toLowerCase() && one.values.length);
  if (!found) { return null; }
  const option = (value) => ({ label: value, type: "text", apply: quoting(`${value.replaceAll("'", "''")}'`) });
  return { from, options: found.values.map(option), validFor: /^[^']*$/ };
}

// What completes the text at the cursor, or null.
export function complete(words, context) {
  const all = context.state.doc.toString();
  const before = all.slice(Math.max(0, context.pos - 4000), context.pos);
  const tables = named(all, words);
  const some = [...new Set(tables.values())];
  const value = VALUE.exec(before);
  if (value) { return values(words, some, value[1], context.pos - value[2].length); }
  if ((before.split("'").length - 1) % 2 === 1) { return null; }
  const member = OF_TABLE.exec(before);
  if (member) {
    const of = tables.get(member[1].toLowerCase());
    return of ? { from: context.pos - member[2].length, options: of.columns.map(column), validFor: /^\w*$/ } : null;
  }
  const word = /\w*$/.exec(before)[0];
  if (!word && !context.explicit && !AFTER_FROM.test(before)) { return null; }
  const from = context.pos - word.length;
  const choice = words.tables.map((one) => table(one, AFTER_FROM.test(before) ? 30 : 10));
  if (AFTER_FROM.test(before)) { return { from, options: choice, validFor: /^\w*$/ }; }
  const seen = new Set();
  const columns = (some.length ? some : words.tables).flatMap((one) => one.columns).filter(({ name }) => !seen.has(name) && seen.add(name));
  const functions = words.functions.map(([label, info]) => ({ label, type: "function", info, boost: 5 }));
  const keywords = KEYWORDS.split(" ").map((label) => ({ label: label.toUpperCase(), type: "keyword" }));
  return { from, options: [...columns.map(column), ...functions, ...choice, ...keywords], validFor: /^\w*$/ };
}
