//! Charts as PNG, for documents and chats that take no SVG.
//!
//! Promises the chart of the SVG file in its light colours on white, twice as large, with where its numbers came from inside of the file; equal
//! charts have equal bytes, because the only font is our own. A character that the font does not have is drawn as an empty box: its scripts
//! are Latin, Greek and Cyrillic. Nothing is loaded from anywhere.

use std::sync::{Arc, OnceLock};

use flate2::Crc;
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::assets::PICTURE_FONTS;
use super::chart::{Figure, Placement, svg};
use super::provenance::Provenance;
use crate::service::asking::rooms::PICTURE_BYTES_MAX;

/// The largest number of pixels of a picture: a chart of one series with 200 bars fits. They take four bytes each while it is drawn.
pub const PIXELS_MAX: u32 = 6_000_000;
const _: () = assert!(PIXELS_MAX as usize * 8 <= PICTURE_BYTES_MAX);
/// The number of pixels along a unit of the SVG. A picture that would be too large has fewer.
const SCALE: f32 = 2.0;
/// The smallest scale at which texts can be read.
const SCALE_MIN: f32 = 1.0;
/// The family of our font.
const FAMILY: &str = "DejaVu Sans";
/// The signature of a PNG and its first chunk, behind which others may stand.
const HEADER_BYTES: usize = 8 + 25;
/// Begins the names of the provenance.
const PREFIX: &str = "tacit:";

/// The reason why a chart has no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PictureFault {
    /// The chart is too large to be read at the largest size of a picture.
    #[error("the chart is {width} by {height} pixels; a picture has at most {PIXELS_MAX} in all")]
    TooLarge {
        /// The chart's width.
        width: u32,
        /// The chart's height.
        height: u32,
    },
    /// The chart could not be drawn or encoded.
    #[error("the chart could not be drawn")]
    Undrawn,
}

/// Draws a figure as a PNG file that says where its numbers came from, in one chunk `iTXt` for each name, like `tacit:release`.
///
/// # Errors
/// [`PictureFault`]; a figure with very many groups is offered as SVG alone.
pub fn file(figure: &Figure, about: &Provenance) -> Result<Vec<u8>, PictureFault> {
    let text = svg(figure, Placement::File).into_string();
    let options = Options { fontdb: fonts(), font_family: FAMILY.to_owned(), ..Options::default() };
    let tree = Tree::from_str(&text, &options).map_err(|_| PictureFault::Undrawn)?;
    let png = drawn(&tree)?.encode_png().map_err(|_| PictureFault::Undrawn)?;
    let (head, rest) = png.split_at_checked(HEADER_BYTES).ok_or(PictureFault::Undrawn)?;
    let title = about.get("title").unwrap_or(&figure.title);
    let told = about.pairs().map(|(name, value)| noted(&format!("{PREFIX}{name}"), value));
    Ok([head, &noted("Title", title), &told.collect::<Vec<_>>().concat(), rest].concat())
}

fn drawn(tree: &Tree) -> Result<Pixmap, PictureFault> {
    let (width, height) = (tree.size().width(), tree.size().height());
    let scale = SCALE.min((PIXELS_MAX as f32 / (width * height)).sqrt());
    let too_large = PictureFault::TooLarge { width: width.ceil() as u32, height: height.ceil() as u32 };
    if scale < SCALE_MIN {
        return Err(too_large);
    }
    let pixels = |length: f32| (length * scale).floor().max(1.0) as u32;
    let mut pixmap = Pixmap::new(pixels(width), pixels(height)).ok_or(too_large)?;
    pixmap.fill(Color::WHITE);
    resvg::render(tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    Ok(pixmap)
}

/// The fonts that pictures are drawn with: ours for every family.
fn fonts() -> Arc<fontdb::Database> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let load = || {
        let mut fonts = fontdb::Database::new();
        for font in PICTURE_FONTS {
            fonts.load_font_source(fontdb::Source::Binary(Arc::new(font)));
        }
        fonts.set_sans_serif_family(FAMILY);
        Arc::new(fonts)
    };
    Arc::clone(FONTS.get_or_init(load))
}

/// A chunk `iTXt` (PNG, section 11.3.3.4) with a text in UTF-8 that is not compressed.
fn noted(name: &str, value: &str) -> Vec<u8> {
    let mut chunk = b"iTXt".to_vec();
    chunk.extend(name.bytes());
    // The end of the name; no compression and its method; neither a language nor a translated name.
    chunk.extend([0, 0, 0, 0, 0]);
    chunk.extend(value.replace('\0', " ").bytes());
    let mut crc = Crc::new();
    crc.update(&chunk);
    let size = u32::try_from(chunk.len().saturating_sub(4)).unwrap_or(u32::MAX);
    [&size.to_be_bytes()[..], &chunk, &crc.sum().to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::chart::{Chart, Point, Series, Shape};

    fn figure(groups: usize, label: &str, charts: usize) -> Figure {
        let point =
            |at: usize| Point { value: Some(at as f64), low: Some(0.0), high: Some(at as f64 + 3.0), word: None };
        let series = Series { name: "all".to_owned(), points: (0..groups).map(point).collect() };
        let chart = Chart {
            title: "Visits".to_owned(),
            measure: None,
            unit: Some("visits".to_owned()),
            shape: Shape::Bar,
            labels: (0..groups).map(|at| format!("{label}{at}")).collect(),
            has_totals: false,
            over_days: false,
            series: vec![series],
        };
        Figure { title: "Visits".to_owned(), charts: vec![chart; charts] }
    }

    /// Width and height as the file says, and its pixels.
    fn read(png: &[u8]) -> (u32, u32, Pixmap) {
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
        (number(16), number(20), Pixmap::decode_png(png).expect("a PNG"))
    }

    #[test]
    fn a_picture_is_twice_as_large_on_white_and_always_the_same() {
        let about = Provenance::default();
        let png = file(&figure(4, "group ", 1), &about).expect("a picture");
        let (width, height, pixels) = read(&png);
        assert_eq!((width, pixels.width(), pixels.height()), (1_440, 1_440, height));
        let white =
            |at: usize| pixels.pixels()[at].demultiply() == resvg::tiny_skia::ColorU8::from_rgba(255, 255, 255, 255);
        assert!(white(0) && white(pixels.pixels().len() - 1), "the ground is white");
        let blue = |pixel: &resvg::tiny_skia::PremultipliedColorU8| {
            (pixel.red(), pixel.green(), pixel.blue()) == (0x3b, 0x78, 0xd8)
        };
        assert!(pixels.pixels().iter().any(blue), "bars have the colour of the style sheet");
        assert_eq!(png, file(&figure(4, "group ", 1), &about).expect("a picture"));
    }

    /// Every letter that the font should have is drawn, and differs from the box that stands for letters that it does not have.
    #[test]
    fn texts_are_drawn_in_our_own_font() {
        let of = |label: &str| file(&figure(1, label, 1), &Provenance::default()).expect("a picture");
        let boxes = of("\u{4e2d}");
        for letter in ["a", "ß", "ő", "Ω", "ж", "ế", "€", "≥", "−"] {
            assert_ne!(of(letter), boxes, "{letter}");
            assert_ne!(of(letter), of(" "), "{letter}");
        }
        assert_ne!(boxes, of(" "), "a letter that is missing leaves a box");
        let faces: Vec<_> = fonts().faces().map(|face| (face.families[0].0.clone(), face.weight.0)).collect();
        assert_eq!(faces, [(FAMILY.to_owned(), 400), (FAMILY.to_owned(), 700)]);
    }

    #[test]
    fn a_large_chart_is_drawn_smaller_and_a_larger_one_not_at_all() {
        let about = Provenance::default();
        let (width, height, _) = read(&file(&figure(200, "group ", 1), &about).expect("a picture"));
        assert!((720..1_440).contains(&width) && width * height <= PIXELS_MAX, "{width} by {height}");
        let fault = file(&figure(200, "group ", 6), &about).expect_err("too large");
        assert!(matches!(fault, PictureFault::TooLarge { width: 720, height } if height > 20_000), "{fault}");
    }

    #[test]
    fn a_chunk_has_its_length_and_its_checksum() {
        assert_eq!(noted("a", "é")[..4], [0, 0, 0, 8]);
        // The checksum of the last chunk of every PNG.
        let mut crc = Crc::new();
        crc.update(b"IEND");
        assert_eq!(crc.sum(), 0xae42_6082);
    }
}
