//! The demo: a synthetic clinic that is sealed, asked and served.
//!
//! The demo only uses the means that a steward and a researcher of a real table have.

mod clinic;
mod configuration;
mod error;
mod tour;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

pub use self::error::DemoError;
use crate::client::Client;
use crate::engine::Launch;
use crate::kernel::budget::people::Role;
use crate::kernel::clock::{Clock, SystemClock};
use crate::kernel::privacy::amounts::Epsilon;
use crate::ledger::SqliteLedger;
use crate::query::terms::policy::Policy;
use crate::service::Service;
use crate::service::publishing::editions::seal_and_publish;
use crate::service::publishing::schedule::CalendarZone;
use crate::service::publishing::statistics::{Agreement, Refreshed, confirm};
use crate::service::publishing::uploads::UploadLimits;
use crate::service::stewarding::grants::{self, Grant, Holder};
use crate::service::stewarding::people;
use crate::terminal::say;
use crate::{files, http, net, startup};

/// The published queries and the dashboards, embedded from `queries/`.
static QUERIES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/queries");

const POLICY: &str = include_str!("demo/visits.toml");
/// The public statement of size in the policy, which is about a clinic of 50,000 patients.
const ABOUT_ROWS: &str = "about_rows = 200_000";
/// The ε of the tour's account: so small that the tour's last question is refused.
const TOUR_EPSILON: &str = "1";
/// The ε of the researcher's account.
const RESEARCHER_EPSILON: &str = "2";
/// The ε of the statistics account.
const STATISTICS_EPSILON: &str = "1";

/// Options of `tacit demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoOptions {
    /// The folder for the clinic, its ledger and its tokens.
    #[arg(long, default_value = "demo")]
    pub dir: PathBuf,
    /// Number of patients in the synthetic clinic.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(100..=3_000_000))]
    pub patients: u32,
    /// The address to serve on after the tour.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// End after the tour, without opening a fixed port.
    #[arg(long)]
    pub tour: bool,
}

/// The content of `demo.toml`, from which scripts take the URL and the tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Keys {
    url: String,
    steward: String,
    researcher: String,
    viewer: String,
    tour: String,
}

/// Runs the demo until it is stopped, or, with `tour`, until the tour has ended.
///
/// # Errors
/// [`DemoError`] says what went wrong.
pub fn run(options: &DemoOptions) -> Result<(), DemoError> {
    let runtime = net::listener::runtime()?;
    // Open the port first, so that nobody waits for a clinic that cannot be served.
    let listener = if options.tour { None } else { Some(runtime.block_on(listen(options.listen))?) };
    let keys_path = options.dir.join("demo.toml");
    let mut keys = keys_so_far(options, &keys_path)?;
    let policy = options.dir.join("visits.toml");
    let (state, queries) = (state(&options.dir), options.dir.join("queries"));
    let queries = Some((queries.as_path(), CalendarZone::default()));
    let launch = (Launch::this_program(), UploadLimits::default());
    let started = startup::open_publishing(&state, None, &[policy], queries, launch)?;
    let (service, current) = (started.service, started.current);
    let settings = http::Settings { sealings: Some(started.sealings), ..http::Settings::default() };
    runtime.block_on(async {
        tour_through(Arc::clone(&service), &options.dir, &keys).await?;
        publish(&service, &options.dir.join("queries")).await?;
        if let Some(listener) = &listener {
            keys.url = format!("http://{}", listener.local_addr()?);
        }
        save(&keys_path, &keys)?;
        let address = listener.as_ref().map_or(Ok(options.listen), TcpListener::local_addr)?;
        let configuration = configuration::write(&options.dir, address)?;
        if let Some(listener) = listener {
            introduce(&keys, &keys_path, &configuration);
            // Whoever holds this service would keep the editions that it began with.
            drop(service);
            let refreshing = tokio::spawn(current.now().keep_fresh());
            let link_key = Some(http::LinkKey::kept_in(&state)?);
            let settings = http::Settings { link_key, ..settings };
            net::listener::serve(listener, http::router(current.now(), settings), net::listener::stop()).await;
            refreshing.abort();
        }
        Ok(())
    })
}

async fn listen(address: SocketAddr) -> Result<TcpListener, DemoError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| DemoError(format!("{address}: cannot listen: {}; choose another with --listen", error.kind())))
}

/// The keys of an existing clinic, of one whose tour was interrupted, or of a new one.
fn keys_so_far(options: &DemoOptions, keys_path: &Path) -> Result<Keys, DemoError> {
    let unfinished = unfinished(&options.dir);
    let known = if keys_path.is_file() { keys_path } else { unfinished.as_path() };
    if known.is_file() {
        say(format!("the clinic in {} is there already", options.dir.display()));
        return Ok(toml::from_str(&fs::read_to_string(known)?)?);
    }
    let keys = prepare(options)?;
    save(&unfinished, &keys)?;
    Ok(keys)
}

/// The file that holds the keys until the tour has ended.
fn unfinished(dir: &Path) -> PathBuf {
    dir.join("unfinished.toml")
}

fn state(dir: &Path) -> PathBuf {
    dir.join("state")
}

/// Makes the clinic, seals it and opens accounts.
fn prepare(options: &DemoOptions) -> Result<Keys, DemoError> {
    let dir = &options.dir;
    if state(dir).exists() {
        let message = "holds a demo that was not finished; remove it, or choose another folder with --dir";
        return Err(DemoError(format!("{}: {message}", dir.display())));
    }
    fs::create_dir_all(dir.join("queries").join("dashboards"))?;
    let ledger = SqliteLedger::open(&state(dir), SystemClock.now_ms())?;
    let dashboards = QUERIES.get_dir("dashboards").into_iter().flat_map(Dir::files);
    for file in QUERIES.files().chain(dashboards) {
        fs::write(dir.join("queries").join(file.path()), file.contents())?;
    }
    fs::write(dir.join("visits.toml"), policy(options.patients))?;
    let visits = clinic::write(&dir.join("visits.parquet"), options.patients)?;
    clinic::write_patients(&dir.join("patients.parquet"), options.patients)?;
    say(format!(
        "made a clinic of {} patients and {visits} visits: {}",
        options.patients,
        dir.join("visits.parquet").display()
    ));

    let policy = Policy::load(&dir.join("visits.toml"))?;
    let now = || SystemClock.now_ms();
    let report = seal_and_publish(&ledger, &policy, &state(dir), &|_| {}, &SystemClock)?.report;
    say(format!(
        "sealed it: {} rows kept, {} cut beyond 8 a patient (only a steward sees such numbers)",
        report.rows_kept, report.rows_cut
    ));

    let add =
        |name: &str, role| people::add_person(&ledger, name, role, "demo", now()).map(|token| token.text().to_owned());
    let viewer = people::add_viewer(&ledger, "viewer", std::slice::from_ref(&policy.name), "demo", now())?;
    let keys = Keys {
        url: format!("http://{}", options.listen),
        steward: add("steward", Role::Steward)?,
        researcher: add("researcher", Role::Researcher)?,
        viewer: viewer.text().to_owned(),
        tour: add("tour", Role::Researcher)?,
    };
    let statistics = Holder::Statistics { period_days: None };
    let holders = [Holder::researcher("researcher"), Holder::researcher("tour"), statistics];
    for (to, epsilon) in holders.into_iter().zip([RESEARCHER_EPSILON, TOUR_EPSILON, STATISTICS_EPSILON]) {
        let grant = Grant {
            to,
            dataset: policy.name.clone(),
            epsilon: Epsilon::parse(epsilon)?,
            reason: "demo".to_owned(),
            by: "steward".to_owned(),
        };
        grants::grant(&ledger, grant, now())?;
    }
    Ok(keys)
}

/// Runs the tour over HTTP, against a listener on a port that the system chooses.
async fn tour_through(service: Arc<Service>, dir: &Path, keys: &Keys) -> Result<(), DemoError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let client = Client::new(&format!("http://{}", listener.local_addr()?), Some(&keys.tour));
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let serving =
        tokio::spawn(net::listener::serve(listener, http::router(service, http::Settings::default()), async {
            let _ = ended.await;
        }));
    let queries = dir.join("queries");
    let toured = tokio::task::spawn_blocking(move || tour::run(&client, &queries)).await?;
    let _ = end.send(());
    serving.await?;
    toured
}

/// Confirms the prices of the demo's own statistics and publishes them. They take the tour's releases as they are, which costs
/// the dataset nothing more. A query file that somebody added or changed waits for a steward as usual.
async fn publish(service: &Arc<Service>, queries: &Path) -> Result<(), DemoError> {
    let is_own = |name: &str| {
        let file = format!("{name}.sql");
        let own = QUERIES.get_file(&file).map(include_dir::File::contents);
        own.is_some() && fs::read(queries.join(&file)).ok().as_deref() == own
    };
    for statistic in service.statistics().filter(|statistic| is_own(&statistic.name)) {
        if service.reading_of(statistic).agreement != Agreement::Given {
            confirm(service.ledger(), statistic, "demo", SystemClock.now_ms())?;
        }
    }
    let released = service.refresh_due().await;
    let done = released.iter().filter(|(_, became)| matches!(became, Refreshed::Released(_))).count();
    if done > 0 {
        say(format!("\npublished {done} statistics of {}: GET /v1/statistics", service.statistics().count()));
    }
    for (name, became) in released {
        if let Refreshed::Skipped(why) = became {
            say(format!("{name} is not published: {why}"));
        }
    }
    Ok(())
}

fn save(path: &Path, keys: &Keys) -> Result<(), DemoError> {
    files::replace(path, toml::to_string(keys)?.as_bytes())?;
    if let Some(unfinished) =
        path.parent().map(unfinished).filter(|unfinished| unfinished != path && unfinished.exists())
    {
        fs::remove_file(unfinished)?;
    }
    Ok(())
}

fn introduce(keys: &Keys, path: &Path, configuration: &Path) {
    say(format!("\nTacit serves on {}", keys.url));
    say(format!("  steward     {}", keys.steward));
    say(format!("  researcher  {}", keys.researcher));
    say(format!("  viewer      {}", keys.viewer));
    say(format!("The tokens are in {}, too. The same server without the tour:", path.display()));
    say(format!("  tacit serve --config {}", configuration.display()));
    say("Ask more, in another terminal:\n");
    say(format!("export TACIT_URL={}\nexport TACIT_TOKEN={}\ntacit prompt --epsilon 0.1\n", keys.url, keys.researcher));
    say(format!(
        "curl -s {}/v1/queries -H 'Authorization: Bearer {}' \\\n  -d '{{\"sql\": \"SELECT emergency, COUNT(*) AS visits FROM visits GROUP BY emergency\", \"epsilon\": \"0.1\"}}'",
        keys.url, keys.researcher
    ));
}

/// The policy of a clinic of so many patients.
fn policy(patients: u32) -> String {
    POLICY.replace(ABOUT_ROWS, &format!("about_rows = {}", 4 * patients))
}
