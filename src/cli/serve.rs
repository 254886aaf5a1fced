//! `tacit serve`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Failure, notify};
use crate::config::Config;
use crate::engine::Launch;
use crate::http::Settings;
use crate::service::schedule::Zone;
use crate::terminal::complain;
use crate::{http, startup};

/// How long a stop waits for what is being drawn or delivered.
const STOP_MAX: Duration = Duration::from_secs(30);

pub(super) fn run(path: &Path) -> Result<(), Failure> {
    let config = Config::load(path).map_err(Failure::could)?;
    let zone = zone(path, &config)?;
    let tls = config.tls.as_ref().map(|tls| http::tls::load(&tls.certificate, &tls.key)).transpose();
    let tls = tls.map_err(Failure::could)?;
    let public = config.public_url.as_deref().and_then(|url| url.split_once("://"));
    let settings = Settings {
        origins: config.statistics.origins.clone(),
        is_secure: tls.is_some() || public.is_some_and(|(scheme, _)| scheme == "https"),
        host: public.map(|(_, host)| host.to_owned()),
    };
    let queries = config.queries_dir.as_deref().map(|dir| (dir, zone));
    let (state, anchor) = (&config.state_dir, config.anchor.as_deref());
    let service = startup::open_publishing(state, anchor, &config.policies, queries, Launch::this_program())
        .map_err(Failure::could)?;
    let notifier = notify::configured(&config, &service)?;
    let runtime = http::server::runtime().map_err(Failure::could)?;
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(config.listen).await;
        let listener =
            listener.map_err(|error| Failure::Could(format!("{}: cannot listen: {}", config.listen, error.kind())))?;
        let address = listener.local_addr().map_err(Failure::could)?;
        let refreshing = tokio::spawn(Arc::clone(&service).keep_fresh());
        let notifying = notifier.map(|notifier| tokio::spawn(notify::run(notifier)));
        let (router, stop) = (http::router_with(Arc::clone(&service), settings), http::server::stop());
        let scheme = if tls.is_some() { "https" } else { "http" };
        complain(format!("tacit serves on {scheme}://{address}"));
        match tls {
            Some(tls) => http::server::serve_tls(listener, router, tls, stop).await,
            None => http::server::serve(listener, router, stop).await,
        }
        let _ = tokio::time::timeout(STOP_MAX, service.at_rest()).await;
        refreshing.abort();
        notifying.inspect(tokio::task::JoinHandle::abort);
        Ok(())
    });
    // A webhook that does not answer keeps nobody from stopping.
    runtime.shutdown_timeout(STOP_MAX);
    served
}

/// The zone that days of statistics begin in.
fn zone(path: &Path, config: &Config) -> Result<Zone, Failure> {
    let name = &config.statistics.time_zone;
    Zone::named(name).ok_or_else(|| {
        let shown = crate::query::error::shown(name);
        Failure::Could(format!(
            "{}: time_zone \"{shown}\" is no time zone; accepted are names like \"Europe/Berlin\" or \"UTC\"",
            path.display()
        ))
    })
}
