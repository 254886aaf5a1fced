//! A steward's acts through a running server, over HTTP.

use serde_json::{Value, json};

use super::{AddedPerson, NewGrant, NewPerson, PublishedStatistic, Stewarding, StewardingError};
use crate::client::Client;
use crate::kernel::budget::people::Role;
use crate::kernel::privacy::amounts::Epsilon;
use crate::service::publishing::statistics::check::StatisticCheck;
use crate::service::stewarding::accounts::NamedAccount;
use crate::service::stewarding::declared::{DeclaredFile, Outcome};
use crate::service::stewarding::entries::SearchText;
use crate::service::stewarding::grants::Holder;
use crate::service::stewarding::requests::{Decision, RequestView};
use crate::service::stewarding::tokens::{GivenToken, HeldToken};

impl Stewarding for Client {
    fn add_person(&self, person: &NewPerson) -> Result<AddedPerson, StewardingError> {
        let mut body = json!({"name": person.name, "role": person.role.name()});
        if let Some(datasets) = &person.datasets {
            body["datasets"] = json!(datasets);
        }
        Ok(self.post_as("/v1/researchers", &body)?)
    }

    fn set_role(&self, name: &str, role: Role, datasets: Option<&[String]>) -> Result<(), StewardingError> {
        self.put(&format!("/v1/researchers/{name}/role"), &json!({"role": role.name(), "datasets": datasets}))?;
        Ok(())
    }

    fn set_viewing(&self, viewer: &str, datasets: &[String]) -> Result<(), StewardingError> {
        self.put(&format!("/v1/researchers/{viewer}/datasets"), &json!({"datasets": datasets}))?;
        Ok(())
    }

    fn revoke_token(&self, name: &str, token: Option<&str>) -> Result<(), StewardingError> {
        let which = token.map_or_else(|| "token".to_owned(), |token| format!("tokens/{token}"));
        Ok(self.delete(&format!("/v1/researchers/{name}/{which}"))?)
    }

    fn issue_token(&self, name: &str, token: &str, expires: Option<&str>) -> Result<GivenToken, StewardingError> {
        let body = json!({"name": token, "expires": expires});
        Ok(self.post_as(&format!("/v1/researchers/{name}/tokens"), &body)?)
    }

    fn tokens(&self, name: &str) -> Result<Vec<HeldToken>, StewardingError> {
        Ok(self.get_as(&format!("/v1/researchers/{name}/tokens"))?)
    }

    fn grant(&self, grant: &NewGrant) -> Result<(), StewardingError> {
        self.post("/v1/grants", &body(grant))?;
        Ok(())
    }

    fn set_frozen(&self, dataset: &str, is_frozen: bool, reason: &str) -> Result<(), StewardingError> {
        let act = if is_frozen { "freeze" } else { "unfreeze" };
        self.post(&format!("/v1/datasets/{dataset}/{act}"), &json!({"reason": reason}))?;
        Ok(())
    }

    fn accounts(&self) -> Result<Vec<NamedAccount>, StewardingError> {
        Ok(self.all("/v1/accounts", NamedAccount::id)?)
    }

    fn requests(&self) -> Result<Vec<RequestView>, StewardingError> {
        Ok(self.all("/v1/requests", |request: &RequestView| request.number.to_string())?)
    }

    fn decide(&self, number: u64, decision: Decision, reason: &str) -> Result<RequestView, StewardingError> {
        let (granted, epsilon) = match decision {
            Decision::Grant { epsilon } => (true, epsilon),
            Decision::Decline => (false, None),
        };
        let body = json!({"granted": granted, "epsilon": epsilon, "reason": reason});
        Ok(self.post_as(&format!("/v1/requests/{number}/decide"), &body)?)
    }

    fn plan(&self, files: &[DeclaredFile]) -> Result<Outcome, StewardingError> {
        Ok(self.post_as("/v1/plan", &json!({"files": files}))?)
    }

    fn apply(&self, files: &[DeclaredFile], reason: &str) -> Result<Outcome, StewardingError> {
        Ok(self.post_as("/v1/apply", &json!({"files": files, "reason": reason}))?)
    }

    fn entries(&self, sought: &SearchText<'_>, after: u64, limit: usize) -> Result<Vec<Value>, StewardingError> {
        let SearchText { act, person, dataset, from, to, words: _ } = *sought;
        let (limit, after) = (limit.to_string(), after.to_string());
        let fields = [("act", act), ("person", person), ("dataset", dataset), ("from", from), ("to", to)];
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &limit).append_pair("after", &after);
        query.extend_pairs(fields.into_iter().filter(|(_, text)| !text.is_empty()));
        Ok(self.get_as(&format!("/v1/ledger?{}", query.finish()))?)
    }

    fn check_statistics(&self, files: &[DeclaredFile]) -> Result<Vec<StatisticCheck>, StewardingError> {
        Ok(self.post_as("/v1/check", &json!({"files": files}))?)
    }

    fn publish_statistic(&self, name: &str, most: Option<Epsilon>) -> Result<PublishedStatistic, StewardingError> {
        Ok(self.post_as(&format!("/v1/statistics/{name}/publish"), &json!({"epsilon": most}))?)
    }
}

/// The body of `POST /v1/grants`.
fn body(grant: &NewGrant) -> Value {
    let NewGrant { to, dataset, epsilon, reason } = grant;
    let mut body = json!({"dataset": dataset, "epsilon": epsilon, "reason": reason});
    match to {
        Holder::Researcher { name, project, period_days } => {
            (body["researcher"], body["project"], body["period_days"]) =
                (json!(name), json!(project), json!(period_days));
        }
        Holder::Project { name } => (body["kind"], body["project"]) = (json!("project"), json!(name)),
        Holder::Dataset => body["kind"] = json!("dataset"),
        Holder::Statistics { period_days } => {
            (body["kind"], body["period_days"]) = (json!("statistics"), json!(period_days));
        }
    }
    body
}
