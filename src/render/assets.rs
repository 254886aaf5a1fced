//! What pages load: one style sheet, one script of our own, and htmx, as it was published.
//!
//! htmx 4.0.1 stands in `assets/htmx.min.js` byte for byte, under the licence beside it; a test compares its SHA-256.

use std::sync::OnceLock;

/// One file that pages load.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Its name below `/assets/`.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
}

/// All of them.
pub const ALL: [Asset; 4] = [
    Asset { name: "console.css", media_type: "text/css; charset=utf-8", bytes: include_bytes!("assets/console.css") },
    Asset {
        name: "htmx.min.js",
        media_type: "text/javascript; charset=utf-8",
        bytes: include_bytes!("assets/htmx.min.js"),
    },
    Asset { name: "icon.svg", media_type: "image/svg+xml", bytes: include_bytes!("assets/icon.svg") },
    Asset {
        name: "htmx.LICENSE",
        media_type: "text/plain; charset=utf-8",
        bytes: include_bytes!("assets/htmx.LICENSE"),
    },
];

/// The SHA-256 of htmx 4.0.1 as its authors publish it.
pub const HTMX_SHA256: &str = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130";

/// A short name of what all files hold, so that a browser keeps them until they change.
#[must_use]
pub fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let mut hasher = blake3::Hasher::new();
        ALL.iter().for_each(|asset| {
            hasher.update(asset.bytes);
        });
        hasher.finalize().to_hex().as_str().chars().take(12).collect()
    })
}

/// Where a page finds a file.
#[must_use]
pub fn path(name: &str) -> String {
    format!("/assets/{name}?v={}", version())
}
