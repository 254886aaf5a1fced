//! The stewards' page that checks a policy: its faults, its costs, and what sealing under it would change.

use axum::http::StatusCode;

use crate::console::Browser;
use crate::support::{GAUSSIAN, Lab, Reply, block_on, policy};

fn text(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::OK, "{}", String::from_utf8_lossy(&reply.bytes));
    String::from_utf8_lossy(&reply.bytes).into_owned()
}

#[test]
fn a_policy_is_checked_against_the_one_that_is_served() {
    block_on(async {
        let lab = Lab::gaussian();
        let steward = Browser::new(&lab, &lab.steward).await;
        let before = lab.head();
        let own = policy(GAUSSIAN);
        let other =
            own.replace("max = \"110\"", "max = \"120\"").replace("max_rows_per_unit = 4", "max_rows_per_unit = 2");
        let other = other.replace("name = \"smoker\"", "name = \"smokes\"");
        for (policy, said) in [
            (own.clone(), vec!["and the one under which <code>visits</code> is served."]),
            (
                other,
                vec![
                    "rows of each unit that count: 4 becomes 2",
                    "column age: 0 to 110 becomes 0 to 120",
                    "column smokes is new",
                    "column smoker is gone",
                    "the mean of age in a group of 1000 rows",
                ],
            ),
            (
                own.replace("epsilon = \"4\"", "epsilon = \"3\""),
                vec!["refused", "cannot be sealed over what is on record"],
            ),
            (own.replace("name = \"visits\"", "name = \"others\""), vec!["<code>others</code> is not served here yet"]),
            (
                own.replace("type = \"date\"", "type = \"day\""),
                vec!["One fault", "<code>type = &quot;day&quot;</code>"],
            ),
            (format!("{own}\n<script>"), vec!["&lt;script&gt;"]),
        ] {
            let page = text(&steward.post(&lab, "/policy", &[("text", &policy)]).await);
            let part = text(&steward.post(&lab, "/policy/check", &[("text", &policy)]).await);
            for said in said {
                assert!(page.contains(said) && part.contains(said), "{said}: {part}");
            }
            assert!(!page.contains("<script>\n") && !part.contains("<html"), "{part}");
            assert!(page.contains("textarea") && !part.contains("textarea"));
        }
        assert_eq!(lab.head(), before, "checking writes nothing");
    });
}
