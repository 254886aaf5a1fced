//! The supply chain of the binary: the rules of `.cargo/deny.toml` that can be checked without its tool.

use crate::support::repository_file;

/// Every crate comes from the one registry and is pinned by its digest.
#[test]
fn every_crate_comes_from_the_registry_by_its_digest() {
    let lock = repository_file("Cargo.lock");
    let packages: Vec<&str> = lock.split("[[package]]").skip(1).collect();
    assert!(packages.len() > 300);
    for package in packages.iter().filter(|package| !package.contains("name = \"tacit\"")) {
        let name = package.lines().find(|line| line.starts_with("name")).unwrap_or_default();
        assert!(package.contains("source = \"registry+https://github.com/rust-lang/crates.io-index\""), "{name}");
        assert!(package.contains("checksum = \""), "{name}");
    }
}

/// OpenDP's polars layer, which has open privacy bugs, is not compiled in, and its strong source of randomness is.
#[test]
fn opendp_has_its_random_source_and_not_its_polars_layer() {
    let manifest = repository_file("Cargo.toml");
    let line = manifest.lines().find(|line| line.starts_with("opendp = ")).expect("opendp");
    assert!(
        line.contains("\"contrib\"") && !line.contains("polars") && !line.contains("default-features = false"),
        "{line}"
    );
    let lock = repository_file("Cargo.lock");
    let opendp = lock.split("[[package]]").find(|package| package.contains("name = \"opendp\"\n")).expect("opendp");
    assert!(opendp.contains("\"openssl\"") && !opendp.contains("\"polars"), "{opendp}");
    let denied = repository_file(".cargo/deny.toml");
    assert!(denied.contains("crate = \"opendp\"") && denied.contains("deny = [\"polars\""));
}

/// None of our code is unsafe, and the build neither downloads nor runs anything.
#[test]
fn our_own_code_is_safe() {
    assert!(repository_file("Cargo.toml").contains("\n[lints.rust]\nunsafe_code = \"forbid\"\n"));
    assert!(!std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("build.rs").exists());
}
