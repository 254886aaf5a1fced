//! The files that pages load: one style sheet, an icon, htmx as it was published, and the editor.
//!
//! `assets/htmx.min.js` is htmx 4.0.1 byte for byte, with its licence beside it. `assets/editor.min.js` is CodeMirror 6 with our own few
//! lines around it, bundled by the recipe in `assets/editor/`, with the licences of its parts beside it. `assets/picture/` holds the font of
//! charts as PNG, which no page loads: a subset of DejaVu Sans 2.37, made by the recipe beside it, with its licence. A test compares the
//! SHA-256 of all of them.

use std::io::Write;
use std::sync::OnceLock;

use flate2::Compression;
use flate2::write::GzEncoder;

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
pub const ALL: [Asset; 6] = [
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
    Asset {
        name: "editor.min.js",
        media_type: "text/javascript; charset=utf-8",
        bytes: include_bytes!("assets/editor.min.js"),
    },
    Asset {
        name: "editor.LICENSE",
        media_type: "text/plain; charset=utf-8",
        bytes: include_bytes!("assets/editor.LICENSE"),
    },
];

/// The SHA-256 of htmx 4.0.1 as published by its authors, in hexadecimal.
pub const HTMX_SHA256: &str = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130";

/// The SHA-256 of the editor as its recipe makes it, in hexadecimal.
pub const EDITOR_SHA256: &str = "69412a4573295cfcabe62b0979ea38cbe57713dfb19c0f6a579901373fffd3dd";

/// The regular and the bold font of charts as PNG.
pub const PICTURE_FONTS: [&[u8]; 2] =
    [include_bytes!("assets/picture/sans.ttf"), include_bytes!("assets/picture/sans-bold.ttf")];

/// The SHA-256 of the fonts as their recipe makes them, in hexadecimal.
pub const PICTURE_FONTS_SHA256: [&str; 2] = [
    "1ef34054d37ff96f9340443132f403ffb24a3e89ada57d3fdb487e9b34cf5011",
    "1ecab0aa6f8d15ca487c467c014404a5014930ba0ae9b9dac8adf694e6df618d",
];

impl Asset {
    /// The file's contents compressed with gzip, computed once; `None` for a file so small that it would not be worth it.
    #[must_use]
    pub fn compressed(&self) -> Option<&'static [u8]> {
        const LEAST_BYTES: usize = 1_000;
        static COMPRESSED: [OnceLock<Vec<u8>>; ALL.len()] = [const { OnceLock::new() }; ALL.len()];
        let place = ALL.iter().position(|asset| asset.name == self.name)?;
        let compress = || {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            // Unwrap safety: writing to memory does not fail.
            encoder.write_all(self.bytes).and_then(|()| encoder.finish()).expect("memory takes bytes")
        };
        (self.bytes.len() >= LEAST_BYTES).then(|| COMPRESSED[place].get_or_init(compress).as_slice())
    }
}

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
