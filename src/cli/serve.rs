//! `tacit serve`: runs a server until it is stopped.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::CommandFailure;
use crate::config::Config;
use crate::engine::Launch;
use crate::http::{LinkKey, Settings};
use crate::kernel::budget::ledger::read;
use crate::pgwire::door::DoorTls;
use crate::service::Service;
use crate::service::publishing::schedule::CalendarZone;
use crate::service::publishing::statistics::{Agreement, Statistic};
use crate::startup::Started;
use crate::terminal::complain;
use crate::webhooks::notifier;
use crate::{http, net, pgwire, startup};

/// Largest number of names in a warning.
const NAMES_SHOWN: usize = 10;
/// How long stopping waits for what is being drawn or delivered.
const STOP_MAX: Duration = Duration::from_secs(30);

pub(super) fn run(path: &Path) -> Result<(), CommandFailure> {
    let config = Config::load(path).map_err(CommandFailure::could)?;
    let zone = zone(path, &config)?;
    let tls = config.tls.as_ref().map(|tls| net::tls::load(&tls.certificate, &tls.key)).transpose();
    let tls = tls.map_err(CommandFailure::could)?;
    let public = config.public_url.as_deref().and_then(|url| url.split_once("://"));
    let mut settings = Settings {
        origins: config.statistics.origins.clone(),
        is_secure: tls.is_some() || public.is_some_and(|(scheme, _)| scheme == "https"),
        host: public.map(|(_, host)| host.to_owned()),
        operator: config.operator.clone(),
        sealings: None,
        link_key: None,
    };
    let has_operator = settings.operator.is_some();
    let queries = config.queries_dir.as_deref().map(|dir| (dir, zone));
    let (state, anchor) = (&config.state_dir, config.anchor.as_deref());
    let launch = (Launch::this_program(), config.uploads);
    let started = startup::open_publishing(state, anchor, &config.policies, queries, launch);
    let Started { service, current, sealings, kept_over_files, write_lock } = started.map_err(CommandFailure::could)?;
    settings.sealings = Some(sealings);
    // The ledger is open, so no other server writes to the state directory.
    settings.link_key = Some(link_key(state)?);
    let notifier = notifier::configured(&config, &service, write_lock).map_err(CommandFailure::could)?;
    let runtime = net::listener::runtime().map_err(CommandFailure::could)?;
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(config.listen).await;
        let listener = listener
            .map_err(|error| CommandFailure::Could(format!("{}: cannot listen: {}", config.listen, error.kind())))?;
        let address = listener.local_addr().map_err(CommandFailure::could)?;
        let (stop_doors, stopping) = tokio::sync::watch::channel(false);
        let door = match config.postgresql {
            Some(address) => Some(open_door(address, &config, current.now(), stopping).await?),
            None => None,
        };
        let refreshing = tokio::spawn(current.now().keep_fresh());
        let notifying = notifier.map(|notifier| tokio::spawn(notifier::run(notifier)));
        let router = http::router(current.now(), settings);
        let stop = async {
            net::listener::stop().await;
            // Nobody listens if there is no such door.
            let _ = stop_doors.send(true);
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        complain(format!("tacit serves on {scheme}://{address}"));
        warn(&service, has_operator);
        warn_of_files(&kept_over_files);
        // Whoever holds this service would keep the editions that it began with.
        drop(service);
        match tls {
            Some(tls) => net::listener::serve_tls(listener, router, tls, stop).await,
            None => net::listener::serve(listener, router, stop).await,
        }
        if let Some(door) = door {
            let _ = tokio::time::timeout(STOP_MAX, door).await;
        }
        let _ = tokio::time::timeout(STOP_MAX, current.now().at_rest()).await;
        refreshing.abort();
        notifying.inspect(tokio::task::JoinHandle::abort);
        Ok(())
    });
    // A webhook whose receiver does not answer must not keep the server from stopping.
    runtime.shutdown_timeout(STOP_MAX);
    served
}

/// The key of signed links, from the state directory.
fn link_key(state: &Path) -> Result<LinkKey, CommandFailure> {
    LinkKey::kept_in(state).map_err(|error| {
        CommandFailure::Could(format!("{}: the key of links cannot be read: {}", state.display(), error.kind()))
    })
}

/// Opens the PostgreSQL door, which is served until `stopping` says so.
async fn open_door(
    address: SocketAddr,
    config: &Config,
    service: Arc<Service>,
    stopping: tokio::sync::watch::Receiver<bool>,
) -> Result<tokio::task::JoinHandle<()>, CommandFailure> {
    let tls = config.tls.as_ref().map(|tls| DoorTls::load(&tls.certificate, &tls.key)).transpose();
    let tls = tls.map_err(CommandFailure::could)?;
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener =
        listener.map_err(|error| CommandFailure::Could(format!("{address}: cannot listen: {}", error.kind())))?;
    complain(format!("tacit serves on postgresql://{}", listener.local_addr().map_err(CommandFailure::could)?));
    Ok(tokio::spawn(pgwire::accept::serve(listener, service, tls, stopping)))
}

/// Warns at startup about settings that are missing and statistics that wait for a decision.
fn warn(service: &Service, has_operator: bool) {
    if !has_operator {
        complain(
            "warning: tacit.toml has no [operator], so /transparency says that the operator has not said who they are",
        );
    }
    let viewers: Vec<String> = read(service.ledger(), |book| book.viewers_of_all().cloned().collect());
    if !viewers.is_empty() {
        complain(format!(
            "warning: nobody said which datasets these viewers may see, so they see the statistics of all: {}; say it with tacit \
             researcher datasets NAME DATASET",
            listed(&viewers)
        ));
    }
    let is_waiting = |statistic: &&Statistic| service.reading_of(statistic).agreement != Agreement::Given;
    let waiting: Vec<String> =
        service.statistics().filter(is_waiting).map(|statistic| statistic.name.clone()).collect();
    if !waiting.is_empty() {
        complain(format!(
            "warning: these statistics are not drawn before a steward has confirmed their price: {}; look with tacit statistics check \
             DIR, and confirm with tacit statistics publish NAME or in the console",
            listed(&waiting)
        ));
    }
}

/// Warns of policy files that do not hold, because another policy was sealed through a server.
fn warn_of_files(datasets: &[String]) {
    if !datasets.is_empty() {
        complain(format!(
            "warning: of these datasets another policy than the file's was sealed through the server, and that one holds: {}; copy it from \
             the dataset's edition into the file, or seal the file again",
            listed(datasets)
        ));
    }
}

/// The first few names of a list, as text.
fn listed(names: &[String]) -> String {
    let shown = names.iter().take(NAMES_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > NAMES_SHOWN { format!("{shown}, …") } else { shown }
}

/// The time zone in which days of statistics begin.
fn zone(path: &Path, config: &Config) -> Result<CalendarZone, CommandFailure> {
    let name = &config.statistics.time_zone;
    CalendarZone::named(name).ok_or_else(|| {
        let shown = crate::query::error::shown(name);
        CommandFailure::Could(format!(
            "{}: time_zone \"{shown}\" is not a time zone; accepted are names like \"Europe/Berlin\" or \"UTC\"",
            path.display()
        ))
    })
}
