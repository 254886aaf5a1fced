//! POST /v1/grants: allocations of researchers and projects, and lifetime caps.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use crate::http::App;
use crate::http::auth::Steward;
use crate::http::body::{Sent, epsilon};
use crate::http::problem::Problem;
use crate::kernel::budget::entry::AccountKind;
use crate::kernel::budget::people::STATISTICS;
use crate::service::stewarding::accounts::{NamedAccount, account};
use crate::service::stewarding::grants::{self, Grant, Holder};

/// A grant of budget.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantBody {
    /// `researcher` (the default), `project`, `statistics` for what published
    /// statistics may spend, or `dataset`, which raises its lifetime cap.
    kind: Option<String>,
    /// The researcher whose allocation is set, for kind `researcher`.
    researcher: Option<String>,
    /// For kind `project`, the project whose allocation is set; for `researcher`, the project that the account belongs to.
    project: Option<String>,
    dataset: String,
    /// The new total, as a decimal string. If the allocation renews, it is the total of each period.
    epsilon: String,
    /// The number of days after which a researcher's or the statistics'
    /// allocation renews. Whatever is spent also counts against the lifetime cap.
    period_days: Option<u32>,
    reason: String,
}

/// Sets an allocation, or raises a lifetime cap. `epsilon` is the new total; a total below what is spent freezes the account.
#[utoipa::path(
    post, path = "/v1/grants", request_body = GrantBody, security(("token" = [])),
    responses((status = 200, body = NamedAccount), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub async fn grant(
    State(service): State<App>,
    Steward(person): Steward,
    Sent(body): Sent<GrantBody>,
) -> Result<Json<NamedAccount>, Problem> {
    let grant = body.grant(person.name)?;
    let (kind, name) = match &grant.to {
        Holder::Researcher { name, .. } => (AccountKind::Researcher, name.clone()),
        Holder::Project { name } => (AccountKind::Project, name.clone()),
        Holder::Dataset => (AccountKind::Dataset, grant.dataset.clone()),
        Holder::Statistics { .. } => (AccountKind::Statistics, STATISTICS.to_owned()),
    };
    let dataset = grant.dataset.clone();
    service.clone().steward(move |ledger, now| grants::grant(ledger, grant, now)).await?;
    let account = account(service.ledger(), &dataset, kind, &name, service.now_ms());
    account.map(Json).ok_or_else(|| Problem::not_found("the account is gone"))
}

impl GrantBody {
    fn grant(self, by: String) -> Result<Grant, Problem> {
        let Self { kind, mut researcher, mut project, dataset, epsilon: total, mut period_days, reason } = self;
        let kind = kind.as_deref().unwrap_or("researcher");
        let missing = |name| Problem::invalid_request(format!("the field \"{name}\" is missing; it is a string"));
        let to = match kind {
            "researcher" => Holder::Researcher {
                name: researcher.take().ok_or_else(|| missing("researcher"))?,
                project: project.take(),
                period_days: period_days.take(),
            },
            "project" => Holder::Project { name: project.take().ok_or_else(|| missing("project"))? },
            "dataset" => Holder::Dataset,
            "statistics" => Holder::Statistics { period_days: period_days.take() },
            other => {
                let shown = crate::query::error::shown(other);
                let message = format!("kind is \"{shown}\"; accepted are researcher, project, statistics and dataset");
                return Err(Problem::invalid_request(message));
            }
        };
        let unused = [
            ("researcher", researcher.is_some()),
            ("project", project.is_some()),
            ("period_days", period_days.is_some()),
        ];
        if let Some((name, _)) = unused.iter().find(|(_, is_given)| *is_given) {
            let message = format!("the field \"{name}\" does not apply to a grant of kind \"{kind}\"");
            return Err(Problem::invalid_request(message));
        }
        Ok(Grant { to, dataset, epsilon: epsilon(&total)?, reason, by })
    }
}
