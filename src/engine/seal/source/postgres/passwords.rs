//! Passwords from the environment and from `.pgpass`, found as libpq finds them.
//!
//! Promises that a password is kept in memory only, and never appears in a message.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::connection::Connection;

/// The largest size of a password file, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A function that looks up a variable of the environment.
pub(in crate::engine::seal::source) type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// A password, whose `Debug` output hides it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Password")
    }
}

/// What is known about a connection's password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    /// The password was found.
    Password(Password),
    /// No password is given anywhere.
    Nothing,
    /// The password file was ignored because others may read it; holds its path.
    OpenFile(PathBuf),
}

/// Finds the password of a user: `PGPASSWORD`, or else that of the first matching line of `PGPASSFILE` or `~/.pgpass`.
pub(super) fn password(connection: &Connection, user: &str, environment: Environment<'_>) -> Known {
    let text = |name| environment(name).filter(|value: &OsString| !value.is_empty());
    if let Some(password) = text("PGPASSWORD").and_then(|value| value.into_string().ok()) {
        return Known::Password(Password(password));
    }
    let home = || text("HOME").map(|home| PathBuf::from(home).join(".pgpass"));
    let Some(path) = text("PGPASSFILE").map(PathBuf::from).or_else(home) else { return Known::Nothing };
    let Ok(meta) = std::fs::metadata(&path) else { return Known::Nothing };
    if !meta.is_file() {
        return Known::Nothing;
    }
    if meta.permissions().mode() & 0o077 != 0 {
        return Known::OpenFile(path);
    }
    let mut lines = String::new();
    let read = File::open(&path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut lines));
    let found = read.ok().and_then(|_| lines.lines().find_map(|line| of_line(line, connection, user)));
    found.map_or(Known::Nothing, Known::Password)
}

/// The password of a line `host:port:database:user:password`, if the line matches this connection.
fn of_line(line: &str, connection: &Connection, user: &str) -> Option<Password> {
    if line.starts_with('#') {
        return None;
    }
    let (mut fields, mut field, mut is_escaped) = (Vec::new(), String::new(), false);
    // As in libpq, an escaped star is not a wildcard.
    let mut is_any = Vec::new();
    let mut plain = true;
    for c in line.chars() {
        match c {
            _ if is_escaped => {
                field.push(c);
                (is_escaped, plain) = (false, false);
            }
            '\\' => is_escaped = true,
            ':' if fields.len() < 4 => {
                is_any.push(plain && field == "*");
                fields.push(std::mem::take(&mut field));
                plain = true;
            }
            _ => field.push(c),
        }
    }
    let [host, port, database, name] = <[String; 4]>::try_from(fields).ok()?;
    let fits = |place: usize, found: &str, wanted: &str| is_any[place] || found == wanted;
    let is_here = fits(0, &host, &connection.host) || (connection.is_local() && host == "localhost");
    let is_it = is_here
        && fits(1, &port, &connection.port.to_string())
        && fits(2, &database, connection.database.as_deref().unwrap_or(user))
        && fits(3, &name, user);
    is_it.then_some(Password(field)).filter(|password| !password.0.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: &str, connection: &str, user: &str) -> Option<String> {
        let connection = Connection::parse(connection).expect("a connection");
        lines.lines().find_map(|line| of_line(line, &connection, user)).map(|password| password.0)
    }

    #[test]
    fn the_first_line_that_fits_counts() {
        let lines = "# a comment:*:*:*:x\nshort\ndb:5432:clinic:tacit:one\ndb:*:*:tacit:two:with:colons\n\
            localhost:*:*:*:three\n\\*:*:*:*:never\n*:*:my\\:db:a\\\\b:f\\:our\\\\\n*:*:*:ann:";
        for (connection, user, password) in [
            ("host=db dbname=clinic", "tacit", Some("one")),
            ("host=db dbname=other", "tacit", Some("two:with:colons")),
            ("host=db port=5433 dbname=clinic", "tacit", Some("two:with:colons")),
            ("host=/run/pg", "tacit", Some("three")),
            ("host=other dbname=my:db", "a\\b", Some("f:our\\")),
            ("host=other dbname=clinic", "tacit", None),
            ("host=other", "ann", None),
        ] {
            assert_eq!(found(lines, connection, user).as_deref(), password, "{connection} {user}");
        }
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join(".pgpass");
        std::fs::write(&file, "*:*:*:*:from-file\n").expect("written");
        let connection = Connection::parse("host=db").expect("a connection");
        let known = |variables: &[(&str, &str)]| {
            let get =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
            password(&connection, "tacit", &get)
        };
        let set_mode = |mode| {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("a mode");
        };
        let (home, path) = (dir.path().to_str().expect("text"), file.to_str().expect("text"));
        let is = |text: &str| Known::Password(Password(text.to_owned()));
        set_mode(0o600);
        assert_eq!(known(&[("PGPASSWORD", "set"), ("HOME", home)]), is("set"));
        assert_eq!(known(&[("PGPASSWORD", ""), ("HOME", home)]), is("from-file"));
        assert_eq!(known(&[("PGPASSFILE", path)]), is("from-file"));
        assert_eq!(known(&[("PGPASSFILE", "/gone"), ("HOME", home)]), Known::Nothing);
        assert_eq!(known(&[]), Known::Nothing);
        set_mode(0o640);
        assert_eq!(known(&[("HOME", home)]), Known::OpenFile(file.clone()));
        assert!(!format!("{:?}", is("secret")).contains("secret"));
    }
}
