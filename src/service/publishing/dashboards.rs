//! Dashboards: pages that show several statistics, each declared by one file.
//!
//! Promises that a dashboard adds nothing to what its reader may see: each of its statistics is shown to whom that statistic is shown. To
//! somebody who may see none of them it does not exist. The module opens no file.

pub(crate) mod dashboard;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::files::LineColumn;
use crate::kernel::budget::people::Person;
use crate::service::Service;
use crate::service::access::Sight;
use crate::service::publishing::statistics::Statistic;

pub use dashboard::Dashboard;

/// Maximum number of statistics on a dashboard.
pub const CHARTS_MAX: usize = 24;

/// Why a file is not a dashboard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: line {line}, column {column}: {message}")]
pub struct DashboardFault {
    /// The file's path.
    path: String,
    line: usize,
    column: usize,
    message: String,
}

/// The serde shape of a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DashboardFile {
    title: Spanned<String>,
    description: Option<String>,
    statistics: Spanned<Vec<Spanned<String>>>,
}

impl Service {
    /// Makes this service show the dashboards of these files, by path and text.
    ///
    /// # Errors
    /// [`DashboardFault`] names the first file that is faulty or names a statistic that is not published.
    pub fn showing(mut self, files: Vec<(PathBuf, String)>) -> Result<Self, DashboardFault> {
        for (path, text) in files {
            let dashboard = self.read_dashboard(&path, &text).map_err(|(at, message)| {
                let LineColumn { line, column } = LineColumn::of(&text, at);
                DashboardFault { path: path.display().to_string(), line, column, message }
            })?;
            self.dashboards.insert(dashboard.name.clone(), dashboard);
        }
        Ok(self)
    }

    fn read_dashboard(&self, path: &Path, text: &str) -> Result<Dashboard, (usize, String)> {
        let file: DashboardFile = toml::from_str(text)
            .map_err(|error| (error.span().map_or(0, |span| span.start), error.message().trim().replace('\n', "; ")))?;
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
            return Err((
                0,
                "the file's name is not one of letters, digits, - and _, which its address has".to_owned(),
            ));
        }
        if file.title.get_ref().trim().is_empty() {
            return Err((file.title.span().start, "the title is empty".to_owned()));
        }
        let charts = file.statistics.get_ref();
        if !(1..=CHARTS_MAX).contains(&charts.len()) {
            return Err((file.statistics.span().start, format!("a dashboard has 1 to {CHARTS_MAX} statistics")));
        }
        let mut seen = HashSet::new();
        for statistic in charts {
            let known = statistic.get_ref();
            let shown = crate::query::error::shown(known);
            if self.statistic(known).is_none() {
                return Err((statistic.span().start, format!("there is no statistic \"{shown}\" in the same folder")));
            }
            if !seen.insert(known) {
                return Err((statistic.span().start, format!("\"{shown}\" is named twice")));
            }
        }
        let statistics = charts.iter().map(|statistic| statistic.get_ref().clone()).collect();
        Ok(Dashboard { name, title: file.title.into_inner(), description: file.description, statistics })
    }

    /// The dashboards of which a person may see something, ordered by name; `None` stands for somebody without a token.
    pub fn dashboards_seen_by(&self, person: Option<&Person>) -> impl Iterator<Item = &Dashboard> {
        self.dashboards.values().filter(move |dashboard| self.charts_seen_by(dashboard, person).next().is_some())
    }

    /// The dashboard of this name, if there is one of which the person may see something.
    #[must_use]
    pub fn dashboard_seen_by(&self, person: Option<&Person>, name: &str) -> Option<&Dashboard> {
        self.dashboards.get(name).filter(|dashboard| self.charts_seen_by(dashboard, person).next().is_some())
    }

    /// The statistics of a dashboard that a person may see, in its order.
    pub fn charts_seen_by(&self, dashboard: &Dashboard, person: Option<&Person>) -> impl Iterator<Item = &Statistic> {
        let known = dashboard.statistics.iter().filter_map(|name| self.statistic(name));
        known.filter(move |statistic| self.sight(statistic, person) != Sight::Hidden)
    }
}
