//! Dashboards: pages of several statistics. Each statistic is shown to whom its own page is shown.

use std::sync::Arc;

use axum::extract::{Extension, State};

use super::shown::Shown;
use crate::http::App;
use crate::http::api::statistics::rendered;
use crate::http::console::pages::dashboards::{self as pages, DashboardPanel};
use crate::http::forms::StatisticForm;
use crate::http::params::Segment;
use crate::http::problem::Problem;
use crate::http::shared::Shared;
use crate::http::visitor::Visitor;
use crate::query::error::shown;
use crate::service::publishing::statistics::Statistic;

/// GET /d/{name}: a dashboard.
pub async fn one(
    State(service): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    visitor: Visitor,
    Segment(name): Segment,
) -> Shown {
    let person = visitor.person.as_ref();
    // Nobody is told that a dashboard exists of which they may see nothing.
    let refused = || match person {
        Some(_) => Problem::not_found(format!("there is no dashboard \"{}\" that you may see", shown(&name))),
        None => Problem::unauthenticated(),
    };
    let dashboard = service.dashboard_seen_by(person, &name).ok_or_else(|| visitor.fail(refused()))?;
    let mut panels = Vec::new();
    for statistic in service.charts_seen_by(dashboard, person) {
        panels.push(panel(&service, &shared, &visitor, statistic).await);
    }
    Ok(visitor.page(&dashboard.title, "/statistics", &pages::page(dashboard, &panels)))
}

async fn panel(service: &App, shared: &Arc<Shared>, visitor: &Visitor, statistic: &Statistic) -> DashboardPanel {
    let form = StatisticForm::Panel;
    match rendered(service, shared, visitor.person.as_ref(), &statistic.name, form).await {
        Ok((rendered, _)) => DashboardPanel::Shown(String::from_utf8_lossy(&rendered.bytes).into_owned()),
        Err(problem) => DashboardPanel::Empty(service.reading_of(statistic).face.title, problem.detail().to_owned()),
    }
}
