//! Sealing through a running server: hands the policy over, shows the progress, and prints the report.

use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::report;
use crate::cli::CommandFailure;
use crate::client::Client;
use crate::files;
use crate::http::api::sealings::SealingBody;
use crate::service::publishing::sealings::SealingStep;
use crate::terminal::{complain, say};

/// How often the server is asked how far it is.
const ASKED_EVERY: Duration = Duration::from_millis(300);
/// What the length of the bar stands for.
const BAR_PARTS: u64 = 1_000;

/// Seals a policy file through the server of this client.
pub(super) fn seal(client: &Client, policy: &Path, is_json: bool) -> Result<(), CommandFailure> {
    let text = files::text(policy).map_err(|error| {
        CommandFailure::Could(format!("{}: cannot be read: {}", policy.display(), files::because(error.kind())))
    })?;
    let begun: SealingBody = client.post_as("/v1/sealings", &json!({"policy": text}))?;
    complain(format!(
        "sealing \"{}\" on {}, where its sources are read; tacit seal ends with it, and ending tacit seal does not end it",
        begun.dataset,
        client.url()
    ));
    let ended = follow(client, begun)?;
    match ended.step {
        SealingStep::Served => told(policy, &ended, is_json),
        SealingStep::Failed => Err(CommandFailure::No(ended.fault.unwrap_or_default())),
        SealingStep::Sealing | SealingStep::Loading | SealingStep::Cancelled => {
            Err(CommandFailure::No("the sealing was cancelled; nothing of it is left".to_owned()))
        }
    }
}

/// Waits for the end of a sealing, and shows how far it is.
fn follow(client: &Client, begun: SealingBody) -> Result<SealingBody, CommandFailure> {
    let bar = ProgressBar::new(BAR_PARTS);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {percent} %") {
        bar.set_style(style);
    }
    let mut body = begun;
    while body.step.is_under_way() {
        let step = if body.step == SealingStep::Loading { "loading" } else { "sealing" };
        bar.set_message(format!("{step} {}: {} rows", body.dataset, body.rows_read));
        bar.set_position((body.fraction.unwrap_or_default() * BAR_PARTS as f64) as u64);
        std::thread::sleep(ASKED_EVERY);
        body = client.get_as(&format!("/v1/sealings/{}", body.id))?;
    }
    bar.finish_and_clear();
    Ok(body)
}

fn told(policy: &Path, body: &SealingBody, is_json: bool) -> Result<(), CommandFailure> {
    let edition = body.edition.as_deref();
    let Some(sealed) = &body.report else {
        return Err(CommandFailure::Could("the edition is served, and the server has no report of it".to_owned()));
    };
    if is_json {
        say(report::json(&body.dataset, edition, sealed).to_string());
        return Ok(());
    }
    report::print(&body.dataset, edition, sealed);
    if let Some(file) = &body.policy_file {
        say(format!(
            "what was sealed holds from now on; the server's own file {file} must say the same as {}, or the server warns when it starts",
            policy.display()
        ));
    }
    Ok(())
}
