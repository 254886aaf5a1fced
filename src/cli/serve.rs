//! `tacit serve`.

use std::path::Path;

use super::Failure;
use crate::config::Config;
use crate::engine::Launch;
use crate::query::file::QueryFile;
use crate::query::parse;
use crate::terminal::complain;
use crate::{files, http, startup};

pub(super) fn run(config: &Path) -> Result<(), Failure> {
    let config = Config::load(config).map_err(Failure::could)?;
    if let Some(dir) = &config.queries_dir {
        check_queries(dir)?;
    }
    let service = startup::open(&config.state_dir, config.anchor.as_deref(), &config.policies, Launch::this_program())
        .map_err(Failure::could)?;
    http::server::runtime().map_err(Failure::could)?.block_on(async {
        let listener = tokio::net::TcpListener::bind(config.listen).await;
        let listener =
            listener.map_err(|error| Failure::Could(format!("{}: cannot listen: {}", config.listen, error.kind())))?;
        let address = listener.local_addr().map_err(Failure::could)?;
        complain(format!("tacit serves on http://{address}"));
        http::server::serve(listener, http::router(service), http::server::stop()).await;
        Ok(())
    })
}

/// Every file of the folder reads as a query file with SQL of our subset; subfolders are not looked at.
fn check_queries(dir: &Path) -> Result<(), Failure> {
    let unreadable =
        |error: std::io::Error| Failure::Could(format!("{}: cannot be read: {}", dir.display(), error.kind()));
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|ending| ending == "sql") {
            let shown = path.display();
            let text = files::text(&path).map_err(unreadable)?;
            let file = QueryFile::parse(&text).map_err(|fault| Failure::Could(format!("{shown}: {fault}")))?;
            parse::parse(&file.sql).map_err(|fault| Failure::Could(format!("{shown}: {fault}")))?;
        }
    }
    Ok(())
}
