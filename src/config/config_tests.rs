//! Configurations that are refused, each with the place of its fault.

use super::*;

const BASE: &str = "state_dir = \"s\"\npolicies = [\"p.toml\"]\n";

fn parse(more: &str) -> Result<Config, ConfigFault> {
    Config::parse(&format!("{BASE}{more}"), Path::new("etc"))
}

/// Checks that a configuration is refused where `place` begins, with a message that contains `words`.
fn check(more: &str, place: &str, words: &str) {
    let (at, said) = parse(more).expect_err(more);
    let there = format!("{BASE}{more}")[at..].to_owned();
    assert!(there.starts_with(place), "{more}: refused at {there}");
    assert!(said.contains(words), "{more}: {said}");
}

#[test]
fn a_short_file_has_defaults() {
    let config = parse("").unwrap_or_else(|(_, said)| panic!("{said}"));
    assert_eq!(config.listen, SocketAddr::from(([127, 0, 0, 1], 8080)));
    assert_eq!(config.state_dir, Path::new("etc/s"));
    assert_eq!(config.statistics, StatisticsConfig { time_zone: "UTC".to_owned(), origins: Vec::new() });
    assert!(config.tls.is_none() && config.webhooks.is_empty() && !config.allow_plaintext);
}

#[test]
fn everything_can_be_said() {
    let config = parse(
        "listen = \"0.0.0.0:443\"\n\
         [tls]\ncertificate = \"tls/server.pem\"\nkey = \"/keys/server.key\"\n\
         [statistics]\ntime_zone = \"Europe/Berlin\"\norigins = [\"https://charts.example:8443\", \"*\"]\n\
         [[webhook]]\nurl = \"https://hooks.example/tacit\"\nsecret_file = \"hook.secret\"\n\
         [[webhook]]\nurl = \"http://localhost:9000\"\nsecret_file = \"hook.secret\"\nevents = [\"refused\", \"spent-100\"]\n",
    );
    let config = config.unwrap_or_else(|(_, said)| panic!("{said}"));
    let tls = TlsFiles { certificate: "etc/tls/server.pem".into(), key: "/keys/server.key".into() };
    assert_eq!(config.tls, Some(tls));
    assert_eq!(config.statistics.time_zone, "Europe/Berlin");
    assert_eq!(config.statistics.origins, ["https://charts.example:8443", "*"]);
    let [all, some] = &config.webhooks[..] else { panic!("{:?}", config.webhooks) };
    assert_eq!(all.events, WebhookEvent::ALL);
    assert_eq!(some.events, [WebhookEvent::Refused, WebhookEvent::Spent100]);
    assert_eq!(all.secret_file, Path::new("etc/hook.secret"));
}

#[test]
fn plain_text_beyond_this_machine_is_said_aloud() {
    for listen in ["0.0.0.0:80", "192.0.2.1:80", "[::]:80", "[::ffff:192.0.2.1]:80"] {
        let line = format!("listen = \"{listen}\"\n");
        check(
            &line,
            &format!("\"{listen}\""),
            "accepted are an address of loopback, a [tls] table, or allow_plaintext",
        );
        check(&format!("allow_plaintext = false\n{line}"), "\"", "in plain text");
        assert!(parse(&format!("{line}allow_plaintext = true")).is_ok(), "{listen}");
        assert!(parse(&format!("{line}[tls]\ncertificate = \"c\"\nkey = \"k\"")).is_ok(), "{listen}");
    }
    for listen in ["127.0.0.1:80", "127.1.2.3:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
        assert!(parse(&format!("listen = \"{listen}\"")).is_ok(), "{listen}");
    }
}

#[test]
fn the_postgresql_door_is_closed_unless_it_is_opened_to_this_machine_or_in_tls() {
    assert_eq!(parse("").map(|config| config.postgresql), Ok(None));
    let door = |listen: &str| format!("[postgresql]\nlisten = \"{listen}\"\n");
    let opened = parse(&door("127.0.0.1:5433")).unwrap_or_else(|(_, said)| panic!("{said}"));
    assert_eq!(opened.postgresql, Some(SocketAddr::from(([127, 0, 0, 1], 5433))));
    for listen in ["0.0.0.0:5433", "[::]:5433", "192.0.2.1:5433"] {
        let place = format!("\"{listen}\"");
        check(&door(listen), &place, "accepted are an address of loopback, or a [tls] table");
        // A proxy speaks TLS for HTTP, not for this.
        check(&format!("allow_plaintext = true\n{}", door(listen)), &place, "in plain text");
        assert!(parse(&format!("{}[tls]\ncertificate = \"c\"\nkey = \"k\"", door(listen))).is_ok(), "{listen}");
    }
    check(&door("5433"), "\"5433\"", "is no address with a port");
    check("[postgresql]\nlisten = \"[::1]:1\"\nport = 1", "port", "unknown field `port`");
    check("[postgresql]", "[postgresql]", "missing field `listen`");
}

#[test]
fn webhooks_are_checked_at_their_place() {
    let webhook = |url: &str, more: &str| format!("[[webhook]]\nurl = \"{url}\"\nsecret_file = \"s\"\n{more}");
    let plain = webhook("http://hooks.example/x", "");
    check(&plain, "\"http://hooks.example/x\"", "in plain text; accepted are https://");
    assert!(parse(&format!("allow_plaintext = true\n{plain}")).is_ok());
    assert!(parse(&webhook("http://[::1]:9/x", "")).is_ok());
    check(&webhook("hooks.example", ""), "\"hooks.example\"", "is no address that can be posted to");
    let known = "accepted are spent-50, spent-80, spent-100, refused, request-filed, refresh-skipped";
    check(&webhook("https://a.example", "events = [\"refused\", \"sealed\"]"), "\"sealed\"", known);
    check(&webhook("https://a.example", "secret = \"x\""), "secret = ", "unknown field `secret`");
    check("[[webhook]]\nurl = \"https://a.example\"", "[[webhook]]", "missing field `secret_file`");
}

#[test]
fn tables_are_checked_at_their_place() {
    let origins = |text: &str| format!("[statistics]\norigins = [\"*\", \"{text}\"]");
    check(&origins("https://a.example/"), "\"https://a.example/\"", "accepted are \"*\", and https:// or http://");
    check(&origins("a.example"), "\"a.example\"", "origin \"a.example\" is none");
    check("[statistics]\nzone = \"UTC\"", "zone", "unknown field `zone`");
    check("[tls]\nkey = \"k\"", "[tls]", "missing field `certificate`");
    check("[tls]\ncertificate = \"c\"\nkey = \"k\"\nciphers = \"all\"", "ciphers", "unknown field `ciphers`");
}

#[test]
fn uploads_are_limited() {
    let limits = |text: &str| parse(text).unwrap_or_else(|(_, said)| panic!("{said}")).uploads;
    assert_eq!(limits(""), UploadLimits::default());
    let some = limits("[uploads]\nbytes_max = 0\ndays_max = 30");
    assert_eq!(some, UploadLimits { bytes_max: 0, days_max: 30, ..UploadLimits::default() });
    check("[uploads]\nbytes_max = -1", "-1", "bytes_max is -1; accepted is 0 to 1099511627776");
    check("[uploads]\ncount_max = 0", "0", "count_max is 0; accepted is 1 to 1000");
    check("[uploads]\ndays_max = 4_000", "4_000", "days_max is 4000; accepted is 1 to 3650");
    check("[uploads]\nhours_max = 1", "hours_max", "unknown field `hours_max`");
}

#[test]
fn operators_say_who_they_are_in_their_own_words() {
    assert_eq!(parse("").map(|config| config.operator), Ok(None));
    let whole = "[operator]\nname = \" St. Mary's data office \"\ncontact = \"data@mary.example\"\naddress = \"\"\"\n1 Main Street\nTown\"\"\"\n\
                 basis = \"Art. 9(2)(j) GDPR\"\nwithdraw = \"Write to us.\"\n";
    let operator = parse(whole).unwrap_or_else(|(_, said)| panic!("{said}")).operator.expect("an operator");
    assert_eq!(operator.name, "St. Mary's data office");
    assert_eq!(operator.address.as_deref(), Some("1 Main Street\nTown"));
    assert_eq!(operator.withdraw.as_deref(), Some("Write to us."));
    let least = parse("[operator]\nname = \"x\"").unwrap_or_else(|(_, said)| panic!("{said}"));
    assert!(least.operator.is_some_and(|operator| operator.contact.is_none() && operator.basis.is_none()));
    check("[operator]\ncontact = \"x\"", "[operator]", "missing field `name`");
    check("[operator]\nname = \" \"", "\" \"", "name has 0 characters; accepted are 1 to 500");
    check("[operator]\nname = \"x\"\nbasis = \"\"", "\"\"", "basis has 0 characters");
    check("[operator]\nname = \"x\"\nhospital = \"y\"", "hospital", "unknown field `hospital`");
    check("[operator]\nname = \"a\\u0007b\"", "\"a\\u0007b\"", "holds a control character");
    check(&format!("[operator]\nname = \"{}\"", "x".repeat(501)), "\"xxx", "name has 501 characters");
    check("[operator]\nname = 7", "7", "expected a string");
}
