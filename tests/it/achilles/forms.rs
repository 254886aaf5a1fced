//! The forms of questions about several tables in `tests/data/forms/omop-*`: each is taken or refused as its file says, and its answer before
//! noise is PostgreSQL's where the file says so.

use super::compared::compare;
use super::exact;
use crate::forms::forms;
use crate::postgres::Server;
use crate::support::Lab;

/// Numbers of forms that are taken and compared, and what is not as it is marked.
pub(super) fn check(lab: &Lab, server: &Server) -> (usize, usize, Vec<String>) {
    let (mut taken, mut compared, mut faults) = (0, 0, Vec::new());
    for form in forms(|name| name.starts_with("omop-")) {
        let found = exact(lab, &form.sql);
        match &found {
            Ok(_) if form.is_taken && !form.is_late => taken += 1,
            Err(_) if form.is_taken == form.is_late => {}
            Ok(_) => faults.push(format!("{} is taken:\n{}", form.place, form.sql)),
            Err(problem) => faults.push(format!("{}: {problem}\n{}", form.place, form.sql)),
        }
        if let (Ok(table), true) = (found, form.is_compared) {
            let sql = format!("SET search_path = omop;\nSET TimeZone = 'UTC';\n{}", form.sql);
            let theirs = server.psql(&sql).ok_or("PostgreSQL refuses it".to_owned());
            match theirs.and_then(|theirs| compare(&form.place, &table, &theirs)) {
                Ok(_) => compared += 1,
                Err(fault) => faults.push(format!("{}: {fault}\n{}", form.place, form.sql)),
            }
        }
    }
    (taken, compared, faults)
}
