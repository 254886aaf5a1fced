// The editor of the page for asking and of that for policies. It stands in place of the text field, which stays in the form and holds the
// same text: what the form sends does not depend on it.
//
// It lives in a shadow root, because there its styles are adopted style sheets, which the page's Content-Security-Policy allows; in the
// page itself they would be inline styles, which it forbids.

import { EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, drawSelection, keymap, lineNumbers } from "@codemirror/view";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { HighlightStyle, StreamLanguage, bracketMatching, syntaxHighlighting } from "@codemirror/language";
import { SQLDialect, sql } from "@codemirror/lang-sql";
import { toml } from "@codemirror/legacy-modes/mode/toml";
import { tags } from "@lezer/highlight";
import { KEYWORDS, complete } from "./words.js";

const dialect = SQLDialect.define({ keywords: KEYWORDS, types: "integer text numeric boolean timestamp", doubleQuotedStrings: false });

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--link)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--warn)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
  { tag: tags.typeName, color: "var(--link)" },
  { tag: tags.propertyName, color: "var(--link)" },
  { tag: tags.atom, color: "var(--link)", fontWeight: "600" },
]);

const theme = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "var(--card)", border: "1px solid var(--edge)", borderRadius: "6px", fontSize: "0.9rem", fontWeight: "400" },
  "&.cm-focused": { outline: "3px solid var(--focus)", outlineOffset: "2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5", maxHeight: "60vh", overflow: "auto" },
  ".cm-content, .cm-gutter": { minHeight: "9rem" },
  ".cm-content": { caretColor: "var(--text)", padding: "0.5rem 0" },
  ".cm-cursor": { borderLeftColor: "var(--text)", borderLeftWidth: "2px" },
  ".cm-gutters": { color: "var(--muted)", backgroundColor: "var(--sunk)", border: "0", borderRadius: "6px 0 0 6px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--link) 28%, transparent)",
  },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "transparent", outline: "1px solid var(--edge)" },
  ".cm-fault": { textDecoration: "underline wavy var(--bad) 2px", textUnderlineOffset: "3px", backgroundColor: "var(--bad-back)" },
  ".cm-tooltip": { color: "var(--text)", backgroundColor: "var(--card)", border: "1px solid var(--edge)", borderRadius: "6px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "14rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { color: "var(--on-fill)", backgroundColor: "var(--fill)" },
  ".cm-completionInfo": { padding: "0.375rem 0.625rem", maxWidth: "20rem" },
  ".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal" },
  "li[aria-selected] .cm-completionDetail": { color: "inherit" },
});

// The places of faults: each a line and a column in characters, both counted from 1.
const setFaults = StateEffect.define();
const fault = StateField.define({
  create: () => Decoration.none,
  update(marks, change) {
    for (const effect of change.effects) {
      if (effect.is(setFaults)) { return marked(change.state.doc, effect.value); }
    }
    return change.docChanged ? Decoration.none : marks;
  },
  provide: (field) => [
    EditorView.decorations.from(field),
    EditorView.contentAttributes.from(field, (marks) => (marks.size ? { "aria-invalid": "true" } : {})),
  ],
});

function marked(doc, places) {
  const ranges = places.map((place) => range(doc, place)).filter((found) => found);
  return Decoration.set(ranges.map(([from, to]) => Decoration.mark({ class: "cm-fault" }).range(from, to)), true);
}

function range(doc, place) {
  if (place.line < 1 || place.line > doc.lines) { return null; }
  const line = doc.line(place.line);
  const skipped = [...line.text].slice(0, Math.max(0, place.column - 1)).join("").length;
  const [word] = /^(?:\w+|'[^']*'?|"[^"]*"?|.)?/u.exec(line.text.slice(skipped));
  const to = Math.min(line.to, line.from + skipped + Math.max(1, word.length));
  const from = Math.min(line.from + skipped, Math.max(line.from, to - 1));
  return from < to ? [from, to] : null;
}

function mount(area) {
  const form = area.form;
  const isPolicy = "policy" in area.dataset;
  let words = { tables: [], functions: [] };
  const host = document.createElement("div");
  host.className = "editor";
  const root = host.attachShadow({ mode: "open" });
  // The server keeps the text of a policy.
  const draft = isPolicy ? null : `tacit-draft ${area.dataset.person}`;
  const isFresh = "fresh" in area.dataset;
  const kept = isFresh ? sessionStorage.getItem(draft) : null;

  const changed = EditorView.updateListener.of((update) => {
    if (!update.docChanged) { return; }
    area.value = update.state.doc.toString();
    if (draft) { sessionStorage.setItem(draft, area.value); }
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
  const price = () => { form.dispatchEvent(new CustomEvent("price")); return true; };
  const language = isPolicy
    ? [StreamLanguage.define(toml)]
    : [sql({ dialect }), autocompletion({ override: [(context) => complete(words, context)], icons: false })];
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: area.value,
      extensions: [
        lineNumbers(), history(), drawSelection(), bracketMatching(), closeBrackets(), EditorView.lineWrapping,
        language, syntaxHighlighting(colours), theme, fault, changed,
        EditorView.contentAttributes.of({ "aria-label": area.dataset.label, autocapitalize: "off", spellcheck: "false" }),
        keymap.of([
          { key: "Mod-Enter", run: price }, { key: "Tab", run: acceptCompletion },
          ...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap,
        ]),
      ],
    }),
  });
  const replace = (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
  const insert = (text) => { view.dispatch(view.state.replaceSelection(text)); view.focus(); };
  // What the browser says of typing in the shadow root; the form hears of it from the field, which holds the text by then.
  host.addEventListener("input", (event) => event.stopPropagation());
  host.write = replace;
  area.hidden = true;
  area.after(host);
  area.closest("label")?.addEventListener("click", (event) => {
    if (event.target !== host) { event.preventDefault(); view.focus(); }
  });

  watchFaults(view, isPolicy ? "checked" : "price");
  if (!isPolicy) {
    offerInserts(insert);
    chooseAccuracy(form);
  }
  document.querySelectorAll("[data-with-editor]").forEach((one) => { one.hidden = false; });
  document.querySelectorAll("[data-without-editor]").forEach((one) => { one.hidden = true; });
  if (isPolicy) { return; }
  fetch(area.dataset.words, { headers: { accept: "application/json" } })
    .then((reply) => (reply.ok ? reply.json() : words))
    .then((found) => { words = found; }, () => {});
  // Only when everything else is there, so that the price of a draft is asked for, too.
  if (kept && kept !== area.value) { addEventListener("load", () => replace(kept)); }
}

// Marks what a box says is wrong, now and whenever the box changes.
function watchFaults(view, id) {
  const box = document.getElementById(id);
  if (!box) { return; }
  const look = () => {
    const told = [...box.querySelectorAll("[data-line]")];
    const places = told.map(({ dataset }) => ({ line: Number(dataset.line), column: Number(dataset.column) }));
    view.dispatch({ effects: setFaults.of(places) });
  };
  new MutationObserver(look).observe(box, { childList: true, subtree: true });
  look();
}

// Chooses the way to say how exact the answer should be whose field is changed.
function chooseAccuracy(form) {
  const ways = { epsilon: "epsilon", level: "epsilon", margin: "margin" };
  form.addEventListener("input", ({ target }) => {
    const radio = Object.hasOwn(ways, target.name) && form.querySelector(`input[name=by][value=${ways[target.name]}]`);
    if (radio) { radio.checked = true; }
  });
}

// Turns the names and values beside the editor into buttons that write them where the cursor is.
function offerInserts(insert) {
  for (const name of document.querySelectorAll("code[data-insert]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "insert";
    button.textContent = name.textContent;
    button.addEventListener("click", () => insert(name.dataset.insert));
    name.replaceWith(button);
  }
}

const area = document.querySelector("textarea.sql:is([data-words], [data-policy])");
if (area) { mount(area); }
