//! GET /v1/accounts: one's own; a steward sees all.

use axum::Json;
use axum::extract::State;

use super::App;
use super::auth::Reader;
use crate::budget::people::Role;
use crate::service::account::{NamedAccount, accounts};

/// Lists accounts.
#[utoipa::path(get, path = "/v1/accounts", security(("token" = [])), responses((status = 200, body = Vec<NamedAccount>)))]
pub async fn list(State(service): State<App>, Reader(person): Reader) -> Json<Vec<NamedAccount>> {
    let own = match person.role {
        Role::Steward => None,
        Role::Researcher | Role::Viewer => Some(person.name.as_str()),
    };
    Json(accounts(service.ledger(), own))
}
