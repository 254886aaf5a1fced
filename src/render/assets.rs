//! The files that pages load: one style sheet, an icon, and htmx as it was published.
//!
//! `assets/htmx.min.js` is htmx 4.0.1 byte for byte, with its licence beside it; a test compares its SHA-256.

use std::sync::OnceLock;

/// A file that pages load.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// The file's name below `/assets/`.
    pub name: &'static str,
    /// The file's media type.
    pub media_type: &'static str,
    /// The file's contents.
    pub bytes: &'static [u8],
}

/// All files that pages load.
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

/// The SHA-256 of htmx 4.0.1 as published by its authors, in hexadecimal.
pub const HTMX_SHA256: &str = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130";

/// A short digest of all files, put into their addresses so that browsers can cache them until they change.
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

/// The address at which a page finds a file.
#[must_use]
pub fn path(name: &str) -> String {
    format!("/assets/{name}?v={}", version())
}
