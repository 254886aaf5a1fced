//! Rules of the code base: which module may use which, how long files and functions are, and which words must not occur.

mod circles;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The direction of dependence: a module uses only modules that come before it.
const LAYERS: [&str; 17] = [
    "hex",
    "terminal",
    "files",
    "telemetry",
    "kernel",
    "query",
    "engine",
    "ledger",
    "service",
    "render",
    "config",
    "startup",
    "net",
    "http",
    "client",
    "audit",
    "demo",
];
const TOP: [&str; 2] = ["cli", "main"];
const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const HANDLER_LINES_MAX: usize = 25;

/// All Rust files below a directory of the repository.
pub fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    found.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).expect("text"))).collect()
}

/// The top-level module of a path below `src`.
fn module(path: &Path) -> String {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("below src");
    let first = below.components().next().expect("a component").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The code above the unit tests.
fn production(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

#[test]
fn modules_use_only_what_stands_above_them() {
    let order: HashMap<&str, usize> =
        LAYERS.iter().chain(&TOP).enumerate().map(|(place, name)| (*name, place)).collect();
    for (path, text) in sources("src") {
        let user = module(&path);
        // The map in lib.rs links everywhere.
        if user == "lib" || path.ends_with("engine/polars/neighbours_tests.rs") {
            continue;
        }
        let place = *order.get(user.as_str()).unwrap_or_else(|| panic!("{user} has no place in the order"));
        for line in production(&text).lines().filter(|line| !line.trim_start().starts_with("//")) {
            for (at, _) in line.match_indices("crate::") {
                let used: String = line[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if let Some(used_place) = order.get(used.as_str()) {
                    assert!(*used_place <= place, "{} uses {used}, which stands below {user}: {line}", path.display());
                }
            }
        }
    }
}

/// Each library is named in its own files and folders alone.
#[test]
fn libraries_stay_where_they_belong() {
    for (library, homes) in [
        ("opendp::", &["kernel/privacy/mechanism", "kernel/vault/noise"][..]),
        ("polars::", &["engine", "render", "http/api/response", "demo/clinic"]),
        ("rusqlite", &["ledger"]),
        ("axum::", &["http", "net"]),
        ("sqlparser::", &["query/parse"]),
        ("rand_distr", &["demo/clinic"]),
        ("ureq::", &["client", "webhooks"]),
        ("standardwebhooks::", &["webhooks"]),
        ("maud::", &["render", "http/console"]),
    ] {
        for (path, text) in sources("src") {
            let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("below src");
            let is_home = homes.iter().any(|home| below.with_extension("").starts_with(home));
            let mut code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            assert!(is_home || !code.any(|line| line.contains(library)), "{} names {library}", path.display());
        }
    }
}

/// Every route except that of the OpenAPI document itself is in the document, and so in the ratchet of roles; pages have a ratchet of their
/// own.
#[test]
fn routes_are_documented() {
    for (path, text) in sources("src") {
        let undocumented = text.matches(".route(").count();
        let is_of_pages = path.ends_with("src/http/console.rs");
        assert!(is_of_pages || undocumented == usize::from(path.ends_with("src/http.rs")), "{}", path.display());
    }
}

#[test]
fn files_and_functions_are_short() {
    let (mut longest_file, mut longest_function) = (0, 0);
    for (path, text) in sources("src").into_iter().chain(sources("tests")).chain(sources("benches")) {
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() <= FILE_LINES_MAX, "{} has {} lines", path.display(), lines.len());
        longest_file = longest_file.max(lines.len());
        for (at, line) in lines.iter().enumerate() {
            let head =
                line.trim_start().trim_start_matches("pub").trim_start_matches("(crate)").trim_start_matches("(super)");
            let head = head.trim_start().trim_start_matches("async ").trim_start_matches("const ");
            if !head.starts_with("fn ") || line.trim_end().ends_with(';') {
                continue;
            }
            let indent = &line[..line.len() - line.trim_start().len()];
            let end = lines[at..].iter().position(|line| *line == format!("{indent}}}")).unwrap_or(0);
            let handler = at > 0
                && path.to_string_lossy().contains("src/http/")
                && line.contains("pub async fn ")
                && lines[at - 1].ends_with(")]");
            let max = if handler { HANDLER_LINES_MAX } else { FUNCTION_LINES_MAX };
            assert!(end < max, "{}:{} has a function of {} lines", path.display(), at + 1, end + 1);
            longest_function = longest_function.max(end + 1);
        }
    }
    println!("longest file {longest_file} lines, longest function {longest_function}");
}

#[test]
fn words_that_are_not_ours_do_not_occur() {
    for (path, text) in sources("src") {
        let unfinished =
            [["TO", "DO"], ["FIX", "ME"], ["unimplemented", "!"], ["todo", "!("]].map(|parts| parts.concat());
        let foreign = ["utils", "helper", "Manager", "#[allow("].map(str::to_owned);
        for word in unfinished.iter().chain(&foreign) {
            assert!(!text.contains(word.as_str()), "{} says {word}", path.display());
        }
        assert!(text.starts_with("//!"), "{} opens with what it promises", path.display());
        for (number, line) in text.lines().enumerate() {
            let expects = !path.to_string_lossy().ends_with("_tests.rs")
                && production(&text).contains(line)
                && (line.contains(".expect(\"") || line.contains(".unwrap()"));
            let before = text.lines().take(number).collect::<Vec<_>>();
            let said = before.iter().rev().take(4).any(|line| line.contains("Unwrap safety"));
            assert!(
                !expects || said || path.ends_with("engine/polars/neighbours_tests.rs"),
                "{}:{} unwraps without a reason",
                path.display(),
                number + 1
            );
        }
    }
}
