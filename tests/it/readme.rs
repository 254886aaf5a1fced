//! The commands of the README and of the manual, one after the other as a reader types them: each works, and prints what is said of it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tacit::manual::TOPICS;

use crate::support::repository_file;

/// The README and the topics of the manual, where blocks are looked for.
const README: &str = "README.md";

/// A fenced block of a text.
pub struct Block {
    /// The file that it stands in.
    pub file: String,
    /// The heading that it stands under; empty before the first.
    pub heading: String,
    /// The word behind the fence.
    pub language: String,
    pub text: String,
}

/// Where a block stands.
type Place = (&'static str, &'static str);

/// The blocks of the README and of the manual.
pub fn blocks() -> Vec<Block> {
    let topics = TOPICS.iter().map(|topic| (format!("{}.md", topic.name), topic.text.to_owned()));
    let all = [(README.to_owned(), repository_file(README))].into_iter().chain(topics);
    all.flat_map(|(file, text)| blocks_of(&file, &text)).collect()
}

fn blocks_of(file: &str, text: &str) -> Vec<Block> {
    let (mut heading, mut open, mut found) = (String::new(), None::<Block>, Vec::new());
    for line in text.lines() {
        match &mut open {
            None => {
                if let Some(language) = line.strip_prefix("```") {
                    let (file, heading, language) = (file.to_owned(), heading.clone(), language.to_owned());
                    open = Some(Block { file, heading, language, text: String::new() });
                } else if let Some(words) = line.strip_prefix("## ") {
                    heading = words.to_owned();
                }
            }
            Some(_) if line == "```" => found.extend(open.take()),
            Some(block) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
        }
    }
    assert!(open.is_none(), "{file}: a block does not end");
    found
}

/// The commands of all shell blocks at a place, in order; one that goes on in the next line is one.
fn commands((file, heading): Place) -> Vec<String> {
    let is_it = |block: &Block| block.file == file && block.heading == heading && block.language == "sh";
    let text: String = blocks().into_iter().filter(is_it).map(|block| block.text).collect();
    let whole = text.replace("\\\n", " ");
    let commands: Vec<_> = whole.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    assert!(!commands.is_empty(), "{file} has no commands under {heading}");
    commands
}

/// The first block of a language at a place.
fn block((file, heading): Place, language: &str) -> String {
    let is_it = |block: &Block| block.file == file && block.heading == heading && block.language == language;
    let found = blocks().into_iter().find(is_it);
    found.unwrap_or_else(|| panic!("{file} has no {language} under {heading}")).text
}

/// A folder with the binary on the path, and a server while one runs.
struct Shell {
    dir: tempfile::TempDir,
    path: String,
    server: Option<Child>,
    url: String,
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shell {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let bin = dir.path().join("bin");
        std::fs::create_dir(&bin).expect("a folder");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tacit"), bin.join("tacit")).expect("a link");
        let queries = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
        std::os::unix::fs::symlink(queries, dir.path().join("queries")).expect("a link");
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
        Self { dir, path, server: None, url: String::new() }
    }

    fn at(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.dir.path()).env("PATH", &self.path).env_remove("TACIT_TOKEN");
        command.env("TACIT_URL", &self.url);
        command
    }

    /// Runs a line of shell: its exit code, and all that it printed.
    fn run(&self, line: &str, token: Option<&str>) -> (Option<i32>, String) {
        let line = line.replace("http://127.0.0.1:8080", &self.url).replace("cargo run -- ", "tacit ");
        let mut command = self.command("sh");
        command.args(["-c", &line]);
        if let Some(token) = token {
            command.env("TACIT_TOKEN", token);
        }
        let output = command.output().expect("a shell");
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    }

    /// Starts a server and waits until it is ready; what it says at the start.
    fn start(&mut self, arguments: &[&str], until: &str) -> String {
        self.stop();
        let mut command = self.command("tacit");
        let mut server =
            command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary");
        let (stdout, stderr) = (server.stdout.take().expect("a pipe"), server.stderr.take().expect("a pipe"));
        let is_demo = arguments[0] == "demo";
        let (told, other): (Box<dyn Read + Send>, Box<dyn Read + Send>) =
            if is_demo { (Box::new(stdout), Box::new(stderr)) } else { (Box::new(stderr), Box::new(stdout)) };
        let mut said = String::new();
        let mut lines = BufReader::new(told).lines().map_while(Result::ok);
        for line in lines.by_ref() {
            said.push_str(&line);
            said.push('\n');
            if let Some((_, url)) = line.split_once(until) {
                self.url = url.trim().to_owned();
                break;
            }
        }
        assert!(self.url.starts_with("http"), "{said}");
        // Whatever it says later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        std::thread::spawn(move || std::io::copy(&mut { other }, &mut std::io::sink()));
        self.server = Some(server);
        self.wait_until_ready();
        said
    }

    fn wait_until_ready(&self) {
        let (code, said) = self.run(
            "curl -s --retry 60 --retry-delay 1 --retry-all-errors --fail -o /dev/null http://127.0.0.1:8080/readyz",
            None,
        );
        assert_eq!(code, Some(0), "it is not ready (curl is needed, too): {said}");
    }

    /// Ends the server as an operator does.
    fn stop(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        let _ = Command::new("sh").args(["-c", &format!("kill -TERM {}", server.id())]).status();
        let _ = server.wait();
    }
}

/// Replies that stand one after the other.
fn json(text: &str) -> Value {
    serde_json::from_str(text.trim()).unwrap_or_else(|_| panic!("no JSON: {text}"))
}

const FIRST: Place = (README, "A first answer, and a first refusal");
const OWN_TABLE: Place = (README, "Your own table in seven commands");

#[test]
fn a_first_answer_and_a_first_refusal() {
    let mut shell = Shell::new();
    shell.start(&["demo", "--listen", "127.0.0.1:0", "--patients", "20000"], "Tacit serves on ");
    let lines = commands(FIRST);
    let [token, first, region, rows, export, quote, file, manual] = &lines[..] else { panic!("{lines:#?}") };
    assert!(token.starts_with("TOKEN=") && export == "export TACIT_TOKEN=$TOKEN");
    let run = |line: &str| {
        let (code, said) = shell.run(&format!("{token}\n{export}\n{line}"), None);
        assert_eq!(code, Some(0), "{line}: {said}");
        said
    };
    // "at a price of ε 0.1": what was typed is what is charged, and the rows are as they are shown.
    let answer = json(&run(first));
    let shown = repository_file(README);
    let (_, row) = shown.split_once("answers with rows like `").expect("a row");
    let row = json(row.split('`').next().expect("a row"));
    assert!(answer["rows"].as_array().expect("rows").iter().all(|one| keys(one) == keys(&row)), "{answer} and {row}");
    assert_eq!(
        (&answer["price"]["epsilon"], &answer["legs"]["researcher"]),
        (&"0.1".into(), &"0.1".into()),
        "{answer}"
    );
    assert_eq!(answer["legs"]["dataset"], "0.1", "{answer}");
    // The shares of the account that stand there can be added by hand.
    let per_cent = |share: &Value| 100.0 * share.as_str().expect("a share").parse::<f64>().expect("a number");
    let is_said = |share: &Value, words: &str| shown.contains(&format!("{:.2} %{words}", per_cent(share)));
    assert!(is_said(&answer["price"]["fraction"], " of the account"), "{answer}");
    assert!(is_said(&answer["account"]["fraction_remaining"], " is left"), "{answer}");
    let again = json(&run(first));
    assert_eq!((&again["rows"], &again["price"]["epsilon"]), (&answer["rows"], &"0".into()), "it costs nothing");
    let stored = json(&run(region));
    let (_, price) = shown.split_once("its own price (ε ").expect("a price");
    let price = price.split(')').next().expect("a price");
    assert_eq!(
        (stored["replayed"].as_bool(), stored["price"]["epsilon"].as_str()),
        (Some(true), Some(price)),
        "{stored}"
    );
    assert_eq!(stored["legs"]["dataset"], "0", "the dataset pays nothing: {stored}");
    assert!(is_said(&stored["price"]["fraction"], " of it"), "{stored}");
    assert!(is_said(&stored["account"]["fraction_remaining"], " is left"), "{stored}");
    let refused = json(&run(rows));
    assert!(
        refused["code"] == "not-an-aggregate" && refused["position"].is_object() && refused["hint"].is_null(),
        "{refused}"
    );
    let quoted = run(quote);
    assert!(
        quoted.contains("price: epsilon 0.3") && quoted.contains("mean_cost") && quoted.contains("margin"),
        "{quoted}"
    );
    assert!(run(file).contains("it was stored, so it costs nothing"), "the file asks what was asked above");
    assert!(run(manual).starts_with("# Asking questions\n"));
    let document = run("curl -s http://127.0.0.1:8080/openapi.json");
    assert!(document.contains("/v1/quotes"));
    let page = run("curl -s http://127.0.0.1:8080/manual/asking");
    assert!(page.contains("<h1>Asking questions</h1>"), "{page}");
    let read = &commands(("publishing.md", "Reading a statistic"))[0];
    assert!(json(&run(read))["released_at"].is_string());
    clients(&run);
    questions(&run);
}

fn keys(object: &Value) -> Vec<String> {
    object.as_object().expect("an object").keys().cloned().collect()
}

/// The topic on clients: its commands, its bodies and its Python.
fn clients(run: &dyn Fn(&str) -> String) {
    let lines = commands(("clients.md", "curl"));
    let [quote, csv, accounts] = &lines[..] else { panic!("{lines:#?}") };
    assert!(json(&run(quote))["answerable"].is_boolean());
    let csv = run(csv);
    assert!(csv.starts_with("sex,visits,visits_low,visits_high,visits_std_error\n"), "{csv}");
    assert_eq!(json(&run(accounts))[0]["kind"], "researcher");
    let lines = commands(("clients.md", "The command line"));
    let [_, _, _, account, datasets, columns, history, statistics, statistic, piped, status] = &lines[..] else {
        panic!("{lines:#?}")
    };
    for (command, words) in [
        (account, "more like the last"),
        (datasets, "patient_id"),
        (columns, "north, east, south, west"),
        (history, "SELECT "),
        (statistics, "01-visits-by-region"),
        (statistic, "95 % interval"),
        (piped, "price: "),
        (status, "ready       yes"),
    ] {
        let said = run(command);
        assert!(said.contains(words), "{command}: {said}");
    }
    let bodies: Vec<_> =
        blocks().into_iter().filter(|block| block.file == "clients.md" && block.language == "json").collect();
    let [asked, shown] = &bodies[..] else { panic!("a body and an answer") };
    let url = "http://127.0.0.1:8080/v1/queries -H \"Authorization: Bearer $TOKEN\"";
    let answer = json(&run(&format!("curl -s {url} -d '{}'", asked.text)));
    let shown = json(&shown.text);
    assert_eq!(keys(&shown), keys(&answer), "{answer}");
    for part in ["/columns/0", "/columns/1", "/rows/0", "/price", "/legs", "/account"] {
        let of = |body: &Value| keys(body.pointer(part).expect(part));
        assert_eq!(of(&shown), of(&answer), "{part}: {answer}");
    }
    if run("command -v python3 || echo none").trim() == "none" {
        println!("skipped: no python3 here");
        return;
    }
    let python = block(("clients.md", "Python"), "python");
    let said = run(&format!("TACIT_URL=http://127.0.0.1:8080 python3 - <<'END'\n{python}\nEND"));
    assert!(said.contains("spent so far: 0.") && said.lines().count() == 3, "{said}");
}

/// Every question of the topic on asking is one that can be answered, or is free.
fn questions(run: &dyn Fn(&str) -> String) {
    let all: Vec<_> = blocks().into_iter().filter(|block| block.file == "asking.md").collect();
    assert!(all.len() > 15 && all.iter().all(|block| block.language == "sql"), "asking.md has SQL alone");
    for block in all {
        let sql = block.text.replace('\'', "'\\''");
        if block.heading == "What is free" {
            assert!(run(&format!("tacit ask '{sql}'")).contains("it cost nothing"), "{}", block.text);
        } else {
            assert!(run(&format!("tacit ask '{sql}' --epsilon 0.5 --quote")).contains("price: "), "{}", block.text);
        }
    }
}

/// What a command of the walk is to say, by how it begins; every one of them is here.
const SAYS: [(&str, &str); 30] = [
    ("tacit researcher role cy viewer", "cy is a viewer"),
    ("tacit researcher role cy researcher", "cy is a researcher"),
    ("tacit policy draft", ""),
    ("tacit policy check", "dataset \"visits\""),
    ("tacit seal", "cut beyond the rows per unit"),
    ("tacit researcher add sam --role steward", "sam is a steward; this token is shown once:\ntct_"),
    ("tacit researcher add ada", "ada is a researcher; this token is shown once:\ntct_"),
    ("tacit researcher add cy", "cy is a researcher; this token is shown once:\ntct_"),
    ("tacit researcher tokens cy", "2100-01-01T00:00:00.000Z"),
    ("tacit researcher token cy", "cy holds the token laptop, good until 2100-01-01T00:00:00.000Z"),
    ("tacit researcher revoke cy --only laptop", "revoked: laptop of cy"),
    ("tacit researcher revoke cy --state", "cy no longer holds a token"),
    ("tacit grant ada", "ada may spend epsilon 1 on visits in all"),
    ("tacit serve", "tacit serves on"),
    ("tacit grant asthma", "asthma may spend epsilon 2 on visits in all"),
    ("tacit researcher add bea", "bea is a researcher"),
    ("tacit grant bea", "bea may spend epsilon 1 on visits in all"),
    ("tacit researcher add bob", "bob is a researcher"),
    ("tacit grant bob", "in every 30 days"),
    ("tacit grant visits visits --kind dataset", "visits may spend epsilon 5 in its life"),
    ("tacit freeze", "frozen: nothing is drawn from it"),
    ("tacit unfreeze", "no longer frozen"),
    ("tacit grant visits visits --kind statistics", "statistics may spend epsilon 1 on visits in every 365 days"),
    ("tacit statistics check", "16 files: 16 wait for tacit statistics publish"),
    ("tacit statistics publish", "01-visits-by-region is confirmed"),
    ("curl -s http://127.0.0.1:8080/v1/statistics", "\"title\":\"Visits by region\""),
    ("tacit plan", "add person vic as viewer of the statistics of visits"),
    ("tacit apply", "these tokens are shown once:"),
    ("tacit schema declared", "urn:tacit:schema:declared"),
    ("tacit request visits", "epsilon 2"),
];

/// Where the commands of the walk stand, in the order in which a reader comes by them.
const WALK: [Place; 7] = [
    OWN_TABLE,
    ("stewarding.md", "People and roles"),
    ("stewarding.md", "Projects, periods and caps"),
    ("publishing.md", "From a file to a release"),
    ("publishing.md", "Reading a statistic"),
    ("stewarding.md", "Files in Git"),
    ("stewarding.md", "Requests for budget"),
];

/// The policy that the draft is edited to, its table, and the files that are shown.
fn furnish(shell: &Shell) {
    let made = shell.run("tacit demo --tour --dir clinic --patients 2000 && cp clinic/*.parquet .", None);
    assert_eq!(made.0, Some(0), "{}", made.1);
    let own = block(OWN_TABLE, "toml");
    let whole = own + &block(("publishing.md", "Configuration"), "toml");
    std::fs::write(shell.at("tacit.toml"), whole.replace("127.0.0.1:8080", "127.0.0.1:0")).expect("a file");
    std::fs::create_dir(shell.at("access")).expect("a folder");
    std::fs::write(shell.at("access/people.toml"), block(("stewarding.md", "Files in Git"), "toml")).expect("a file");
}

#[test]
fn your_own_table_from_the_first_command_to_the_last() {
    let mut shell = Shell::new();
    furnish(&shell);
    let mut tokens = std::collections::BTreeMap::new();
    let mut request = String::new();
    for line in WALK.into_iter().flat_map(commands) {
        if line.starts_with("tacit serve") {
            let said = shell.start(&["serve", "--config", "tacit.toml"], "tacit serves on ");
            assert!(said.contains("serves on"), "{said}");
            continue;
        }
        if line.contains("--state") {
            shell.stop();
        } else if shell.server.is_none() && (line.starts_with("curl") || line.starts_with("tacit request ")) {
            shell.start(&["serve", "--config", "tacit.toml"], "tacit serves on ");
        }
        let line = line.replace("decide 12 ", &format!("decide {request} "));
        let (code, said) = shell.run(&line, tokens.get("ada").map(String::as_str));
        assert_eq!(code, Some(0), "{line}: {said}");
        let begins = |(start, _): &&(&str, &str)| line.starts_with(start);
        match (SAYS.iter().find(begins), line.as_str()) {
            (Some((_, words)), _) => assert!(said.contains(words), "{line}: {said}"),
            (None, line) if line.starts_with("tacit requests") => assert!(said.contains("a second study"), "{said}"),
            (None, line) if line.starts_with("tacit decide") => assert!(said.contains("is granted"), "{said}"),
            (None, line) => panic!("nothing is said here of: {line}"),
        }
        if line.starts_with("tacit policy draft") {
            // "Then edit it": as a steward does, to what is known of the table.
            std::fs::write(shell.at("visits.toml"), repository_file("src/demo/visits.toml")).expect("a policy");
        }
        if let Some(name) = line.strip_prefix("tacit researcher add ").and_then(|rest| rest.split(' ').next()) {
            let token = said.lines().find(|line| line.starts_with("tct_")).expect("a token");
            tokens.insert(name.to_owned(), token.to_owned());
        }
        if line.starts_with("tacit request ") {
            request = said.split_whitespace().find(|word| word.parse::<u64>().is_ok()).expect("its number").to_owned();
        }
    }
    // The last decision holds, and the ledger is whole after all of it.
    let (code, said) = shell.run("tacit account ada --state state && tacit ledger verify --state state", None);
    assert!(code == Some(0) && said.contains("are whole"), "{said}");
}

/// Every shell block is run here, or is named here with the file that runs its commands.
#[test]
fn no_command_is_left_out() {
    let here = [FIRST, ("clients.md", "curl"), ("clients.md", "The command line")];
    let elsewhere = [
        (README, "Two commands", "binary.rs"),
        ("operating.md", "The ledger and its anchor", "binary.rs"),
        ("privacy.md", "Audit your own server", "audit.rs"),
    ];
    for block in blocks().into_iter().filter(|block| block.language == "sh") {
        let is_at = |file: &str, heading: &str| block.file == file && block.heading == heading;
        let is_here = WALK.into_iter().chain(here).any(|(file, heading)| is_at(file, heading));
        let is_there = elsewhere.iter().any(|(file, heading, _)| is_at(file, heading));
        assert!(is_here || is_there, "{}, under {}: {}", block.file, block.heading, block.text);
    }
}
