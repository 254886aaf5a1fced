//! Why a database cannot be read, in our words: no text of the server's leaves it.

/// What is wrong with a query or its database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostgresFault {
    /// The connection string has no known form.
    #[error(
        "the connection is neither keywords, like \"host=db dbname=clinic user=tacit\", nor a URI, like \"postgresql://tacit@db/clinic\""
    )]
    Connection,
    /// The connection string has an unknown keyword.
    #[error(
        "the connection's keyword \"{0}\" is not known; accepted are host, port, dbname, user, sslmode, sslrootcert, connect_timeout, options and \
         application_name"
    )]
    Key(String),
    /// The value of this keyword is not accepted.
    #[error(
        "the connection's {0} is not accepted; one host, a port from 1 to 65535, connect_timeout from 1 to 3600 seconds, and sslmode disable, prefer, \
         require or verify-full are"
    )]
    Value(String),
    /// The connection string names no host.
    #[error("the connection names no host; write host=localhost, or host=/var/run/postgresql for a socket")]
    NoHost,
    /// Neither the connection string nor the environment names a user.
    #[error("the connection names no user; write user=…")]
    NoUser,
    /// The connection string contains a password, though others may read the policy.
    #[error(
        "the connection holds a password, and policies are read by others; set PGPASSWORD or write it into ~/.pgpass instead"
    )]
    PasswordInPolicy,
    /// The file of root certificates cannot be used.
    #[error("sslrootcert = {0} is not a readable file of certificates in PEM")]
    RootCertificates(String),
    /// TLS could not be established.
    #[error(
        "TLS failed: the server does not offer it, or its certificate is not for this host or not from an authority that this system trusts; \
         sslrootcert=FILE names another"
    )]
    Tls,
    /// The server cannot be reached.
    #[error("{at} cannot be reached: {kind}")]
    Unreachable {
        /// The server's host and port.
        at: String,
        /// The kind of error that the system reports.
        kind: std::io::ErrorKind,
    },
    /// The server asks for a password, and none is known.
    #[error("{at} wants a password of {user}; set PGPASSWORD or write it into ~/.pgpass{}", left_alone(open_file.as_deref()))]
    NoPassword {
        /// The server's host and port.
        at: String,
        /// The user who connects.
        user: String,
        /// The path of a password file that was ignored because others may read it.
        open_file: Option<String>,
    },
    /// The server refuses the connection.
    #[error("{at} does not let {user} into database {database} (SQLSTATE {code}: {})", meaning(code))]
    Rejected {
        /// The server's host and port.
        at: String,
        /// The user who connects.
        user: String,
        /// The name of the database.
        database: String,
        /// The server's SQLSTATE code.
        code: String,
    },
    /// The server refuses the query.
    #[error("{at}, database {database}: the query is refused (SQLSTATE {code}: {}){}", meaning(code), at_character(*position))]
    Refused {
        /// The server's host and port.
        at: String,
        /// The name of the database.
        database: String,
        /// The server's SQLSTATE code.
        code: String,
        /// The position of the error in the query, in characters counted from 1.
        position: Option<u32>,
    },
    /// The query returns no columns.
    #[error("the query returns no columns; accepted is one SELECT")]
    NoColumns,
    /// The query has parameters.
    #[error("the query has parameters, like $1; write their values into it")]
    Parameters,
    /// A text of the result is not valid UTF-8.
    #[error("holds text that is not UTF-8")]
    Encoding,
    /// The connection ended early.
    #[error("{at}: the connection was lost, or what came over it is not of the protocol")]
    Lost {
        /// The server's host and port.
        at: String,
    },
}

impl PostgresFault {
    /// Whether the network, the server or the system is at fault, rather than the policy.
    pub(in crate::engine::seal::source) fn is_of_the_system(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Lost { .. } | Self::Tls)
    }
}

/// The meaning of a server's SQLSTATE code, in our words.
pub(super) fn meaning(code: &str) -> &'static str {
    match code {
        "28P01" => "the password is wrong",
        "28000" => "its rules for clients do not allow it",
        "3D000" => "there is no such database",
        "53300" => "it has too many connections",
        "57P03" => "it is starting or stopping",
        "42P01" => "there is no such table",
        "42703" => "there is no such column",
        "42883" => "there is no such function",
        "42601" => "a syntax error; accepted is one SELECT",
        "42501" => "the user may not read this",
        "25006" => "it would write; sources are only read",
        "57014" => "somebody cancelled it",
        "57P01" => "the server was stopped",
        code if code.starts_with("22") => "a value of a row cannot be computed with",
        code if code.starts_with("08") => "the connection failed",
        code if code.starts_with("42") => "the query does not fit the database",
        code if code.starts_with("53") => "the server lacks resources",
        code if code.starts_with("54") => "a limit of the server",
        _ => "see the table of error codes in PostgreSQL's manual",
    }
}

pub(super) fn at_character(position: Option<u32>) -> String {
    position.map_or_else(String::new, |position| format!(", at character {position}"))
}

pub(super) fn left_alone(path: Option<&str>) -> String {
    path.map_or_else(String::new, |path| format!("; {path} was left alone, for others may read it: chmod 600 {path}"))
}
