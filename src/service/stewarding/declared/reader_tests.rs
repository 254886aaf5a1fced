//! Tests of which files are accepted, and of the messages for those that are not.

use super::{Declared, DeclaredFault, DeclaredFile, parse};

fn file(name: &str, text: &str) -> DeclaredFile {
    DeclaredFile { name: name.to_owned(), text: text.to_owned() }
}

fn read(text: &str) -> Result<Declared, DeclaredFault> {
    parse(&[file("a.toml", text)])
}

const WHOLE: &str = r#"
[[person]]
name = "ada"
role = "researcher"
[[grant]]
researcher = "ada"
dataset = "visits"
project = "heart"
epsilon = "0.5"
period_days = 30
reason = "thesis"
[[project]]
name = "heart"
dataset = "visits"
epsilon = "1"
[[statistics]]
dataset = "visits"
epsilon = "1"
period_days = 365
"#;

#[test]
fn a_whole_file_is_read() {
    let declared = read(WHOLE).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(declared.managed(), ["grant visits ada", "person ada", "project visits heart", "statistics visits"]);
    let order: Vec<_> = declared.allocations.iter().map(|wanted| wanted.named().to_string()).collect();
    assert_eq!(order, ["project visits heart", "statistics visits", "grant visits ada"]);
}

#[test]
fn faults_name_their_place_and_what_is_accepted() {
    let ada = "[[person]]\nname = \"ada\"\nrole = \"researcher\"\n";
    let grant = |line: &str| format!("[[grant]]\nresearcher = \"ada\"\ndataset = \"visits\"\nepsilon = \"1\"\n{line}");
    for (text, wanted) in [
        ("[[folk]]\nname = \"ada\"".to_owned(), "unknown field `folk`"),
        (format!("{ada}token = \"x\"\n"), "a.toml: line 4, column 1: unknown field `token`"),
        ("[[person]]\nname = \"ada\"\n".to_owned(), "missing field `role`"),
        (
            format!("{ada}{ada}"),
            "a.toml: line 5, column 8: person ada is declared twice, before at a.toml: line 2, column 8",
        ),
        (
            ada.replace("\"ada\"", "\"ada lovelace\""),
            "a.toml: line 2, column 8: name \"ada lovelace\" is not a valid name; accepted are",
        ),
        (
            ada.replace("researcher", "owner"),
            "a.toml: line 3, column 8: role \"owner\" is not known; accepted are researcher,",
        ),
        (
            grant("").replace("\"1\"", "\"0\""),
            "a.toml: line 4, column 11: epsilon: \"0\" is out of range; accepted is above 0",
        ),
        (
            grant("").replace("visits", "Visits"),
            "a.toml: line 3, column 11: dataset \"Visits\" is not a valid name; accepted is a lower-",
        ),
        (
            format!("{ada}datasets = [\"visits\"]\n"),
            "a.toml: line 4, column 12: only viewers are given datasets, and this is a researcher",
        ),
        (
            ada.replace("researcher", "viewer") + "datasets = [\"visits\", \"Visits\"]\n",
            "a.toml: line 4, column 23: dataset \"Visits\" is not a valid name",
        ),
        (
            ada.replace("researcher", "viewer") + "datasets = [\"visits\", \"visits\"]\n",
            "a.toml: line 4, column 23: dataset \"visits\" is listed twice",
        ),
        (ada.replace("researcher", "viewer") + "datasets = \"visits\"\n", "a.toml: line 4, column 12: invalid type"),
        (grant("period_days = 0"), "a.toml: line 5, column 15: period_days is 0; accepted is 1 to 3660"),
        (grant("reason = \" \""), "a.toml: line 5, column 10: a reason has 1 to 500 characters"),
        (grant(&grant("")), "a.toml: line 6, column 14: grant visits ada is declared twice"),
        (grant("project = \"a b\""), "a.toml: line 5, column 11: project \"a b\" is not a valid name"),
        ("[[person]\n".to_owned(), "a.toml: line "),
    ] {
        let said = read(&text).err().map(|fault| fault.to_string()).unwrap_or_default();
        assert!(said.contains(wanted), "{text}\n{said}\n{wanted}");
    }
}

#[test]
fn files_are_merged_and_two_never_declare_the_same() {
    let ada = "[[person]]\nname = \"ada\"\nrole = \"viewer\"\n";
    let said = |files: &[DeclaredFile]| parse(files).err().map(|fault| fault.to_string()).unwrap_or_default();
    let twice = said(&[file("b.toml", ada), file("a.toml", &format!("\n{ada}"))]);
    assert!(
        twice.starts_with("b.toml: line 2, column 8: person ada is declared twice, before at a.toml: line 3"),
        "{twice}"
    );
    assert!(said(&[file("a.toml", ""), file("a.toml", "")]).contains("given twice"));
    assert!(said(&[]).starts_with("0 files are given; accepted are 1 to 1000"));
    assert_eq!(said(&[file("a.toml", ""), file("b.toml", ada)]), "");
}
