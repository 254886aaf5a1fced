//! `tacit serve`.

use std::path::Path;
use std::sync::Arc;

use super::{Failure, notify};
use crate::config::Config;
use crate::engine::Launch;
use crate::http::Settings;
use crate::service::schedule::Zone;
use crate::terminal::complain;
use crate::{http, startup};

pub(super) fn run(config: &Path) -> Result<(), Failure> {
    let config = Config::load(config).map_err(Failure::could)?;
    let zone = zone(&config)?;
    let tls = config.tls.as_ref().map(|tls| http::tls::load(&tls.certificate, &tls.key)).transpose();
    let tls = tls.map_err(Failure::could)?;
    let settings = Settings { origins: config.statistics.origins.clone(), is_secure: tls.is_some() };
    let queries = config.queries_dir.as_deref().map(|dir| (dir, zone));
    let (state, anchor) = (&config.state_dir, config.anchor.as_deref());
    let service = startup::open_publishing(state, anchor, &config.policies, queries, Launch::this_program())
        .map_err(Failure::could)?;
    let notifier = notify::configured(&config, &service)?;
    http::server::runtime().map_err(Failure::could)?.block_on(async {
        let listener = tokio::net::TcpListener::bind(config.listen).await;
        let listener =
            listener.map_err(|error| Failure::Could(format!("{}: cannot listen: {}", config.listen, error.kind())))?;
        let address = listener.local_addr().map_err(Failure::could)?;
        // What is due is drawn before anybody reads.
        service.refresh_due().await;
        let refreshing = tokio::spawn(Arc::clone(&service).keep_fresh());
        let notifying = notifier.map(|notifier| tokio::spawn(notify::run(notifier)));
        let (router, stop) = (http::router_with(service, settings), http::server::stop());
        let scheme = if tls.is_some() { "https" } else { "http" };
        complain(format!("tacit serves on {scheme}://{address}"));
        match tls {
            Some(tls) => http::server::serve_tls(listener, router, tls, stop).await,
            None => http::server::serve(listener, router, stop).await,
        }
        refreshing.abort();
        notifying.inspect(tokio::task::JoinHandle::abort);
        Ok(())
    })
}

/// The zone that days of statistics begin in.
fn zone(config: &Config) -> Result<Zone, Failure> {
    let name = &config.statistics.time_zone;
    Zone::named(name).ok_or_else(|| {
        let shown = crate::query::error::shown(name);
        Failure::Could(format!(
            "time_zone \"{shown}\" is no time zone; accepted are names like \"Europe/Berlin\" or \"UTC\""
        ))
    })
}
