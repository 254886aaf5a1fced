//! Circles: no file under `src` depends on itself through other files, except where a recursion of the language needs it.
//!
//! A file depends on another one if it names something that is defined there, by a `use` or by a path. A name that a third file re-exports
//! leads to where it is defined, and a parent that declares and re-exports its children does not depend on them unless it uses them itself.

use std::collections::{BTreeMap, BTreeSet};

use super::{production, sources};

/// Recursions that are meant. Expressions hold conditions and queries, and both hold expressions, also where a query over an answer is
/// written as one: as they are parsed, as they are written in
/// the syntax, as names are bound, and as terms are typed. Statements over free
/// tables are translated as they are written. After the noise, formulas hold conditions, labels and windows that hold formulas.
const RECURSIONS: [&[&str]; 6] = [
    &[
        "pgwire/free/calls",
        "pgwire/free/expressions",
        "pgwire/free/from",
        "pgwire/free/literals",
        "pgwire/free/operators",
        "pgwire/free/select",
        "pgwire/free/translate",
    ],
    &[
        "query/answer/formula",
        "query/answer/formula/cell_values",
        "query/answer/formula/condition",
        "query/answer/formula/dual",
        "query/answer/formula/run",
        "query/answer/formula/scalar",
        "query/answer/formula/survival",
        "query/answer/formula/window",
        "query/answer/formula/words",
    ],
    &["query/syntax", "query/syntax/outputs", "query/syntax/rows", "query/syntax/together"],
    &[
        "query/parse/after",
        "query/parse/ages",
        "query/parse/bounds",
        "query/parse/calendar",
        "query/parse/chosen",
        "query/parse/conditions",
        "query/parse/days",
        "query/parse/expressions",
        "query/parse/group_windows",
        "query/parse/groupings",
        "query/parse/having",
        "query/parse/intervals",
        "query/parse/listed",
        "query/parse/lists",
        "query/parse/numeric",
        "query/parse/outputs",
        "query/parse/over_answer",
        "query/parse/over_answer/aggregated",
        "query/parse/over_answer/columns",
        "query/parse/over_answer/find",
        "query/parse/over_answer/joined",
        "query/parse/over_answer/union",
        "query/parse/pairs",
        "query/parse/periods",
        "query/parse/regression",
        "query/parse/rows",
        "query/parse/select",
        "query/parse/sources",
        "query/parse/survival",
        "query/parse/together",
        "query/parse/totals",
        "query/parse/truths",
        "query/parse/windows",
        "query/parse/with",
        "query/parse/words",
    ],
    &[
        "query/plan/bind",
        "query/plan/bind/conditions",
        "query/plan/bind/groups",
        "query/plan/bind/joins",
        "query/plan/bind/legacy",
        "query/plan/bind/public",
        "query/plan/bind/resolve",
        "query/plan/bind/rows",
        "query/plan/bind/scope",
        "query/plan/bind/sources",
    ],
    &[
        "query/filter",
        "query/term",
        "query/term/context",
        "query/term/lower",
        "query/term/lower/calendar",
        "query/term/lower/numeric",
        "query/term/lower/operations",
        "query/term/lower/words",
        "query/term/node",
        "query/term/values",
    ],
];

/// How many files of a folder may still be in a circle. The numbers only shrink; a folder that is not listed has none.
const IN_CIRCLES_MAX: [(&str, usize); 0] = [];

/// A path of names, from the root of the crate.
type Names = Vec<String>;

/// What one file declares and names.
#[derive(Default)]
struct File {
    children: BTreeSet<String>,
    /// Where the names lead that this file re-exports.
    exported: BTreeMap<String, Names>,
    /// Everything that is named, in absolute paths.
    named: Vec<Names>,
}

/// Every file by its module's path, such as `["query", "plan"]`.
struct Crate(BTreeMap<Names, File>);

impl Crate {
    fn read() -> Self {
        let mut files = BTreeMap::new();
        for (path, text) in sources("src") {
            let text = without_comments(production(&text));
            files.insert(module(&path), (path, text));
        }
        let of = |(module, (path, text)): (Names, (std::path::PathBuf, String))| {
            let is_read = !module.is_empty() && !path.to_string_lossy().ends_with("_tests.rs");
            let file = file(&module, &text, is_read);
            (module, file)
        };
        Self(files.into_iter().map(of).collect())
    }

    /// The file that a path leads into: the longest part of it that is a module.
    fn target(&self, path: &[String]) -> Names {
        let known = (0..=path.len()).rev().find(|length| self.0.contains_key(&path[..*length]));
        path[..known.unwrap_or_default()].to_vec()
    }

    /// The file in which a name is defined, behind any re-exports.
    fn origin(&self, path: &[String]) -> Names {
        let mut path = path.to_vec();
        for _ in 0..8 {
            let target = self.target(&path);
            let Some(name) = path.get(target.len()) else { return target };
            match self.0.get(&target).and_then(|file| file.exported.get(name)) {
                Some(next) if *next != path => path = [&next[..], &path[target.len() + 1..]].concat(),
                _ => return target,
            }
        }
        self.target(&path)
    }

    /// For each file, the files that it depends on.
    fn dependences(&self) -> BTreeMap<String, BTreeSet<String>> {
        let of = |(module, file): (&Names, &File)| {
            let targets = file.named.iter().map(|path| self.origin(path));
            let others = targets.filter(|target| target != module && !target.is_empty());
            (module.join("/"), others.map(|target| target.join("/")).collect())
        };
        self.0.iter().map(of).collect()
    }
}

/// The path of a module, without `src` and the ending.
fn module(path: &std::path::Path) -> Names {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let below = path.strip_prefix(root).expect("below src").with_extension("");
    let names: Names = below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if names == ["lib"] { Vec::new() } else { names }
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Splits the text after the visibility off a line, with whether there was one.
fn visibility(line: &str) -> (bool, &str) {
    let rest = line.strip_prefix("pub").filter(|rest| rest.starts_with([' ', '(']));
    let Some(rest) = rest else { return (false, line) };
    let rest = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(rest, |(_, rest)| rest);
    (true, rest.trim_start())
}

fn file(module: &[String], text: &str, is_read: bool) -> File {
    let mut file = File::default();
    let mut body = String::new();
    let mut statements: Vec<(bool, String)> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let (is_public, rest) = visibility(line.trim());
        if let Some(name) = rest.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            file.children.insert(name.to_owned());
        } else if let Some(tree) = rest.strip_prefix("use ") {
            let mut tree = tree.to_owned();
            while !tree.contains(';') {
                tree.push_str(lines.next().unwrap_or(";"));
            }
            statements.push((is_public, tree.trim_end_matches(';').to_owned()));
        } else {
            // A visibility such as `pub(in crate::ledger)` names a module and uses nothing of it.
            body.push_str(rest);
            body.push('\n');
        }
    }
    for (is_public, tree) in statements {
        for (path, name) in leaves(&tree, &[]) {
            let Some(path) = absolute(&path, module, &file.children) else { continue };
            let is_of_child = path.len() > module.len() && path.starts_with(module);
            if !(is_public && is_of_child) || words(&body).any(|word| word == name) {
                file.named.push(path.clone());
            }
            if is_public {
                file.exported.insert(name, path);
            }
        }
    }
    for path in paths(&body) {
        file.named.extend(absolute(&path, module, &file.children));
    }
    if !is_read {
        file.named.clear();
    }
    file
}

/// The paths of a `use` tree, each with the name that it is bound to.
fn leaves(tree: &str, before: &[String]) -> Vec<(Names, String)> {
    let mut found = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, sign) in tree.char_indices().chain([(tree.len(), ',')]) {
        match sign {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = tree[start..at].trim();
                start = at + 1;
                if let Some((prefix, inner)) = part.split_once('{') {
                    let prefix = names(prefix.trim().trim_end_matches("::"));
                    found.extend(leaves(inner.trim_end_matches('}'), &[before, &prefix].concat()));
                } else if !part.is_empty() {
                    let (path, alias) =
                        part.split_once(" as ").map_or((part, None), |(path, alias)| (path, Some(alias)));
                    let path = [before, &names(path)].concat();
                    let own = path.last().cloned().unwrap_or_default();
                    found.push((path, alias.map_or(own, |alias| alias.trim().to_owned())));
                }
            }
            _ => {}
        }
    }
    found
}

fn names(path: &str) -> Names {
    path.split("::").map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

fn words(body: &str) -> impl Iterator<Item = &str> {
    body.split(|sign: char| !(sign.is_alphanumeric() || sign == '_'))
}

/// The paths of at least two names in code, which begin with a module.
fn paths(body: &str) -> Vec<Names> {
    let is_sign = |sign: char| !(sign.is_alphanumeric() || sign == '_' || sign == ':');
    let words = body.split(is_sign).map(|word| word.trim_matches(':')).filter(|word| word.contains("::"));
    words.map(names).filter(|path| path[0].starts_with(|sign: char| sign.is_lowercase() || sign == '_')).collect()
}

/// A path from the root of the crate; `None` if it leads out of the crate.
fn absolute(path: &[String], module: &[String], children: &BTreeSet<String>) -> Option<Names> {
    let first = path.first()?;
    let ups = path.iter().take_while(|name| *name == "super").count();
    Some(match first.as_str() {
        "crate" => path[1..].to_vec(),
        "self" => [module, &path[1..]].concat(),
        "super" => [&module[..module.len().checked_sub(ups)?], &path[ups..]].concat(),
        name if children.contains(name) => [module, path].concat(),
        _ => return None,
    })
}

/// The files that can be reached from one.
fn reached<'a>(from: &'a str, dependences: &'a BTreeMap<String, BTreeSet<String>>) -> BTreeSet<&'a str> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(file) = open.pop() {
        for next in dependences.get(file).into_iter().flatten() {
            if found.insert(next.as_str()) {
                open.push(next);
            }
        }
    }
    found
}

/// The circles: sets of files each of which depends on each other one.
fn circles(dependences: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<&str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        dependences.keys().map(|file| (file.as_str(), reached(file, dependences))).collect();
    let mut circles: Vec<Vec<&str>> = Vec::new();
    for (file, others) in &reached {
        let circle: Vec<&str> =
            others.iter().copied().filter(|other| reached.get(other).is_some_and(|back| back.contains(file))).collect();
        if circle.len() > 1 && !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

#[test]
fn files_depend_on_each_other_in_no_circle() {
    let dependences = Crate::read().dependences();
    assert!(dependences.len() > 300, "{} files were read", dependences.len());
    let (mut counts, mut shown): (BTreeMap<&str, usize>, String) = (BTreeMap::new(), String::new());
    for circle in circles(&dependences) {
        if RECURSIONS.iter().any(|recursion| circle.iter().all(|file| recursion.contains(file))) {
            continue;
        }
        for file in &circle {
            *counts.entry(file.split('/').next().unwrap_or_default()).or_default() += 1;
            let others = dependences[*file].iter().filter(|other| circle.contains(&other.as_str()));
            shown.push_str(&format!("{file} -> {}\n", others.cloned().collect::<Vec<_>>().join(", ")));
        }
        shown.push('\n');
    }
    let max = |folder: &str| IN_CIRCLES_MAX.iter().find(|(name, _)| *name == folder).map_or(0, |(_, max)| *max);
    let over: Vec<_> = counts.iter().filter(|(folder, count)| **count > max(folder)).collect();
    println!("files in circles: {counts:?}");
    assert!(over.is_empty(), "more files in circles than there were: {over:?}\n\n{shown}");
}

/// The check finds what it looks for: circles through `use`, through paths and through re-exports, and none where a parent re-exports.
#[test]
fn circles_are_found() {
    let files = |texts: &[(&str, &str)]| {
        let of = |(path, text): &(&str, &str)| {
            let module = names(path);
            let file = file(&module, text, true);
            (module, file)
        };
        Crate(texts.iter().map(of).collect())
    };
    let check = |texts: &[(&str, &str)], expected: &[&[&str]]| {
        assert_eq!(circles(&files(texts).dependences()), expected, "{texts:?}");
    };
    check(&[("a", "use crate::b::B;"), ("b", "fn f() -> crate::a::A {}")], &[&["a", "b"]]);
    check(&[("a", "mod b;\nuse self::b::B;"), ("a::b", "use super::A;")], &[&["a", "a/b"]]);
    check(
        &[("a", "mod b;\nuse self::b::B;"), ("a::b", "pub(in crate::a) struct B;\n    pub(in crate::a) fn f() {}")],
        &[],
    );
    check(&[("a", "mod b;\nmod c;\npub use self::b::B;"), ("a::b", ""), ("a::c", "use super::B;")], &[]);
    check(&[("a", "mod b;\npub use self::b::B;\nstruct A(B);"), ("a::b", "use super::A;")], &[&["a", "a/b"]]);
    check(
        &[
            ("a", "mod b;\nmod c;\npub use b::B;\nuse c::C;"),
            ("a::b", "use super::c::{self, D};"),
            ("a::c", "use super::{\nB,\nX as Y,\n};"),
        ],
        &[&["a", "a/b", "a/c"]],
    );
}
