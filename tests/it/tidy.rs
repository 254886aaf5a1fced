//! Rules of the code base: which module may use which, how long files and functions are, and which words must not occur.

mod circles;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The direction of dependence: a module uses only modules that come before it.
const LAYERS: [&str; 19] = [
    "manual",
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
    "pgwire",
    "http",
    "client",
    "webhooks",
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
        ("polars::", &["engine", "render", "demo/clinic"]),
        // The catalogue of the PostgreSQL door is a database in memory; no file of ours is opened there.
        ("rusqlite", &["ledger", "pgwire/catalogue", "pgwire/free", "pgwire/published"]),
        ("axum::", &["http", "net"]),
        ("regex::", &["query/term/patterns", "pgwire/free/patterns"]),
        ("sqlparser::", &["query/parse", "pgwire"]),
        ("pgwire::messages", &["pgwire"]),
        ("rand_distr", &["demo/clinic"]),
        ("ureq::", &["client", "webhooks"]),
        ("standardwebhooks::", &["webhooks"]),
        ("maud::", &["render", "http/console"]),
        ("pulldown_cmark", &["http"]),
        ("resvg::", &["render/picture"]),
        ("rustyline::", &["cli/prompt/editor"]),
        ("clap_complete::", &["cli/completions"]),
        ("multer::", &["http/console"]),
        ("toml_edit::", &["query/terms/policy/editing"]),
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
/// own, and what browsers ask beforehand is no route of its own.
#[test]
fn routes_are_documented() {
    for (path, text) in sources("src") {
        let beforehand = text.matches("options(cors::preflight)").count();
        let undocumented = text.matches(".route(").count() - beforehand;
        let is_of_pages = path.ends_with("src/http/console.rs");
        assert!(is_of_pages || undocumented == usize::from(path.ends_with("src/http.rs")), "{}", path.display());
    }
}

/// The texts that name files, and where the names are taken from.
const TEXTS: [&str; 4] = ["README.md", "benches/README.md", ".github/CONTRIBUTING.md", "src/lib.rs"];

/// Paths of this repository in backticks or links. Backticks within fences are not looked at: tests run these.
fn paths_in(text: &str) -> Vec<String> {
    const FOLDERS: [&str; 6] = ["src/", "tests/", "queries/", "benches/", ".ci/", ".github/"];
    let prose: String = text.split("\n```").step_by(2).collect::<Vec<_>>().join("\n");
    let quoted = prose.split('`').skip(1).step_by(2).map(str::to_owned);
    let linked = prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()));
    let is_path = |word: &String| FOLDERS.iter().any(|folder| word.starts_with(folder));
    quoted.chain(linked).filter(is_path).filter(|word| !word.contains([' ', '*', '<', '…'])).collect()
}

#[test]
fn every_path_in_a_text_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let topics = tacit::manual::TOPICS.iter().map(|topic| format!("src/manual/{}.md", topic.name));
    let mut found = 0;
    for file in TEXTS.map(str::to_owned).into_iter().chain(topics) {
        for path in paths_in(&crate::support::repository_file(&file)) {
            assert!(root.join(&path).exists(), "{file} names {path}, which is not there");
            found += 1;
        }
    }
    assert!(found > 100, "{found} paths were looked at");
    assert_eq!(
        paths_in("See `src/a.rs` and [b](tests/b.md).\n```sh\n`src/c`\n```\n`src/*.rs`"),
        ["src/a.rs", "tests/b.md"]
    );
}

/// Tests that CONTRIBUTING promises to fail are there.
#[test]
fn every_test_that_is_named_exists() {
    let text = crate::support::repository_file(".github/CONTRIBUTING.md");
    let all: String = sources("src").into_iter().chain(sources("tests")).map(|(_, text)| text).collect();
    let is_sentence =
        |word: &&str| word.matches('_').count() > 2 && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let named: Vec<_> = text.split('`').skip(1).step_by(2).filter(is_sentence).collect();
    assert!(named.len() > 15, "{named:?}");
    for name in named {
        assert!(all.contains(&format!("fn {name}(")), "there is no test {name}");
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
        // What a library calls so is not our word.
        let text = text.replace("set_helper(", "");
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

/// The generic arguments that follow `Result<` in each signature and type of a text.
fn results(text: &str) -> Vec<Vec<String>> {
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join(" ");
    let starts: Vec<usize> = code.match_indices("Result<").map(|(at, found)| at + found.len()).collect();
    let arguments = starts.into_iter().map(|start| {
        let (mut depth, mut parts) = (0_i32, vec![String::new()]);
        for (at, letter) in code[start..].char_indices() {
            let is_arrow = letter == '>' && code[start..][..at].ends_with('-');
            match letter {
                '>' if depth == 0 && !is_arrow => break,
                ',' if depth == 0 => parts.push(String::new()),
                _ => {
                    depth += i32::from(matches!(letter, '<' | '(' | '['));
                    depth -= i32::from(matches!(letter, '>' | ')' | ']') && !is_arrow);
                    parts.last_mut().expect("a part").push(letter);
                }
            }
        }
        parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
    });
    arguments.collect()
}

/// Errors are facts with fields; their wording is made from the facts, in one place.
#[test]
fn no_error_is_a_text() {
    let is_text = |error: &str| matches!(error, "String" | "&str" | "&'static str" | "Box<str>" | "Cow<'static, str>");
    assert_eq!(
        results("fn a() -> Result<Vec<(u8, String)>,\n &'static str> {"),
        [["Vec<(u8, String)>", "&'static str"]]
    );
    for (path, text) in sources("src") {
        for arguments in results(&text) {
            let error = arguments.get(1).map_or("", String::as_str);
            assert!(!is_text(error), "{}: the error of Result<{}> is a text", path.display(), arguments.join(", "));
        }
        assert!(!text.contains("type Err = String"), "{} parses with a text as its error", path.display());
    }
}

/// Several servers may share a process's code and a ledger, so whatever changes belongs to a value, not to the process. The tables below
/// are computed once from constants or from their key alone; the list only shrinks.
#[test]
fn nothing_that_changes_is_static() {
    const TABLES: [&str; 4] =
        ["kernel/privacy/gdp.rs", "kernel/privacy/prefix_sums.rs", "render/assets.rs", "render/picture.rs"];
    const MUTABLE: [&str; 9] =
        ["Mutex", "RwLock", "Atomic", "OnceLock", "LazyLock", "OnceCell", "RefCell", "Semaphore", "Notify"];
    let is_static = |line: &str| {
        let line = line.trim_start();
        let line = line.strip_prefix("pub").map_or(line, |line| line.split_once(' ').map_or(line, |(_, rest)| rest));
        line.starts_with("static ") && MUTABLE.iter().any(|kind| line.contains(kind))
    };
    assert!(
        is_static("    static SEEN: Mutex<()> = Mutex::new(());") && is_static("pub(crate) static N: AtomicU64 = x;")
    );
    for (path, text) in sources("src") {
        let found = text.lines().any(is_static) || text.contains("thread_local!") || text.contains("lazy_static!");
        let is_table = TABLES.iter().any(|table| path.ends_with(table));
        assert_eq!(found, is_table, "{}: a static that changes", path.display());
    }
}
