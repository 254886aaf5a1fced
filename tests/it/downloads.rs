//! Files of answers, read back: totals and reasons in words, digits by choice, days as days, workbooks, and where each file came from.

use std::io::Cursor;

use axum::http::StatusCode;
use calamine::{Data, Reader, Xlsx};
use polars::prelude::{DataFrame, DataType, IpcReader, IpcStreamReader, ParquetReader, SerReader};
use serde_json::{Value, json};
use tacit::query::answer::{Table, tabulate};
use tacit::render::chart::{self, Placement, Shape};
use tacit::render::provenance::Provenance;
use tacit::render::{figure, vega};

use crate::console::Browser;
use crate::support::{Lab, Reply, block_on};

const TOTALS: &str = "SELECT region, COUNT(*) AS n, AVG(cost) AS c FROM visits GROUP BY ROLLUP (region)";
const MONTHS: &str =
    "SELECT DATE_TRUNC('month', visited) AS month, COUNT(*) AS n FROM visits GROUP BY DATE_TRUNC('month', visited)";

/// An answer and its files, for its asker.
struct Asked {
    lab: Lab,
    browser: Browser,
    body: Value,
}

impl Asked {
    async fn new(sql: &str) -> Self {
        Self::of(Lab::gaussian(), sql).await
    }

    async fn of(lab: Lab, sql: &str) -> Self {
        let body = lab.ask(&json!({"sql": sql, "epsilon": "0.5"})).await.json();
        let browser = Browser::new(&lab, &lab.researcher).await;
        Self { lab, browser, body }
    }

    fn release(&self) -> &str {
        self.body["release"].as_str().expect("a release")
    }

    async fn file(&self, ending: &str) -> Reply {
        self.browser.get(&self.lab, &format!("/answers/{}{ending}", self.release())).await
    }

    async fn bytes(&self, ending: &str) -> Vec<u8> {
        let reply = self.file(ending).await;
        assert_eq!(reply.status, StatusCode::OK, "{ending}");
        reply.bytes
    }

    async fn text(&self, ending: &str) -> String {
        String::from_utf8(self.bytes(ending).await).expect("UTF-8")
    }

    fn table(&self) -> Table {
        let stored = self.lab.service.stored_answer(self.release()).expect("an answer");
        tabulate(&stored.layout, stored.vectors())
    }
}

fn records(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).comment(Some(b'#')).from_reader(csv.as_bytes());
    reader.records().map(|record| record.expect("a record").iter().map(str::to_owned).collect()).collect()
}

#[test]
fn totals_are_called_total_and_digits_follow_the_error_by_choice() {
    block_on(async {
        let asked = Asked::new(TOTALS).await;
        let rows = asked.body["rows"].as_array().expect("rows");
        let total = |row: &Value| row["region"].is_null() && row["region_null"] == "total";
        assert_eq!(rows.iter().filter(|row| total(row)).count(), 1, "{rows:?}");
        assert!(rows.iter().filter(|row| !total(row)).all(|row| row.get("region_null").is_none()));

        // By default programs find empty fields and all digits, and the reason in a column that is always there.
        let plain = records(&asked.text(".csv").await);
        let names = "region,n,n_low,n_high,n_std_error,c,c_low,c_high,c_std_error,region_null,c_null,c_note";
        assert_eq!(plain[0].join(","), names);
        let is_total = |row: &&Vec<String>| row[9] == "total";
        let row = plain.iter().find(is_total).expect("a total");
        assert_eq!(row[0], "");
        let words = records(&asked.text(".csv?nulls=words").await);
        assert_eq!(words.iter().find(is_total).expect("a total")[0], "total");
        assert_eq!(words[0], plain[0]);

        let rounded = records(&asked.text(".csv?digits=error").await);
        for (full, short) in plain.iter().zip(&rounded).skip(1) {
            let number = |row: &Vec<String>, at: usize| row[at].parse::<f64>().expect("a number");
            for (value, low, high) in [(1, 2, 3), (5, 6, 7)].into_iter().filter(|(value, ..)| !full[*value].is_empty())
            {
                let half = (number(full, high) - number(full, low)) / 2.0;
                assert!((number(full, value) - number(short, value)).abs() <= half * 0.051, "{full:?} {short:?}");
            }
        }
        for wrong in ["?nulls=zero", "?digits=2", "?about=maybe"] {
            let reply = asked.file(&format!(".csv{wrong}")).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{wrong}");
        }
        let page = asked.text("").await;
        assert!(page.contains("<th scope=\"row\">total</th>") && page.contains("Cite as"), "{page}");
        assert!(page.contains(&format!("release {}", asked.release())), "the citation names the release");
    });
}

/// The texts in a PNG, by their names. Every chunk has the checksum that it says.
fn notes(png: &[u8]) -> Vec<(String, String)> {
    let (mut notes, mut rest) = (Vec::new(), &png[8..]);
    while let Some((size, after)) = rest.split_first_chunk::<4>() {
        let size = u32::from_be_bytes(*size) as usize;
        let (chunk, after) = after.split_at(size + 4);
        let (sum, after) = after.split_first_chunk::<4>().expect("a checksum");
        let mut crc = flate2::Crc::new();
        crc.update(chunk);
        assert_eq!(crc.sum().to_be_bytes(), *sum);
        if let Some(text) = chunk.strip_prefix(b"iTXt") {
            let text = String::from_utf8(text.to_vec()).expect("UTF-8");
            let (name, value) = text.split_once("\0\0\0\0\0").expect("a name and a value");
            notes.push((name.to_owned(), value.to_owned()));
        }
        rest = after;
    }
    notes
}

#[test]
fn every_file_says_where_it_came_from() {
    block_on(async {
        let asked = Asked::new(TOTALS).await;
        let (release, sql) = (asked.release(), asked.body["sql"].as_str().expect("SQL"));
        let csv = asked.text(".csv?about=yes&nulls=words").await;
        let lines: Vec<_> = csv.lines().take_while(|line| line.starts_with("# ")).collect();
        for line in [format!("# release: {release}"), format!("# sql: {sql}"), "# epsilon: 0.5".to_owned()] {
            assert!(lines.contains(&line.as_str()), "{line} in {csv}");
        }
        assert!(lines.iter().any(|line| line.starts_with("# cite: ") && line.contains("95 % intervals")), "{csv}");
        assert_eq!(records(&csv), records(&asked.text(".csv?nulls=words").await), "the table is the same");

        let (arrow, parquet) = (asked.bytes(".arrow").await, asked.bytes(".parquet").await);
        let told = IpcStreamReader::new(Cursor::new(arrow)).custom_metadata().expect("Arrow").expect("metadata");
        let of = |name: &str| told.iter().find(|(known, _)| known.as_str() == name).map(|(_, value)| value.to_string());
        assert_eq!((of("tacit:release").as_deref(), of("tacit:sql").as_deref()), (Some(release), Some(sql)));
        let parquet = ParquetReader::new(Cursor::new(parquet)).get_metadata().expect("Parquet").clone();
        let told = parquet.key_value_metadata().clone().expect("metadata");
        assert!(told.iter().any(|pair| pair.key == "tacit:release" && pair.value.as_deref() == Some(release)));

        let svg = asked.text(".svg").await;
        assert!(svg.contains("<metadata>") && svg.contains(&format!("release: {release}")), "{svg}");
        let png = asked.bytes(".png").await;
        let told = notes(&png);
        let of = |name: &str| told.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!(
            (of("tacit:release"), of("tacit:sql"), of("tacit:epsilon")),
            (Some(release), Some(sql), Some("0.5"))
        );
        for name in ["Title", "tacit:edition", "tacit:at", "tacit:delta", "tacit:cite"] {
            assert!(of(name).is_some(), "{name} in {told:?}");
        }
    });
}

#[test]
fn a_workbook_has_typed_cells_and_a_sheet_about_the_answer() {
    block_on(async {
        let asked = Asked::new(TOTALS).await;
        let bytes = asked.bytes(".xlsx").await;
        assert_eq!(bytes, asked.bytes(".xlsx").await, "equal answers have equal bytes");
        let mut book = Xlsx::new(Cursor::new(bytes)).expect("a workbook");
        assert_eq!(book.sheet_names(), ["Answer", "About"]);
        let sheet = book.worksheet_range("Answer").expect("a sheet");
        let rows = asked.body["rows"].as_array().expect("rows");
        assert_eq!(sheet.height(), rows.len() + 1);
        for (cells, row) in sheet.rows().skip(1).zip(rows) {
            let key = row["region"].as_str().unwrap_or("total");
            assert_eq!(cells[0], Data::String(key.to_owned()));
            for (at, name) in [(1, "n"), (2, "n_low"), (5, "c"), (7, "c_high"), (8, "c_std_error")] {
                match &cells[at] {
                    Data::Float(value) => assert_eq!(Some(*value), row[name].as_f64(), "{name} has all digits"),
                    Data::String(words) if name == "c" => {
                        assert_eq!((words.as_str(), &row["c_null"]), ("lost in noise", &json!("lost-in-noise")));
                    }
                    other => assert!(*other == Data::Empty && row[name].is_null(), "{name} of {row}: {other:?}"),
                }
            }
        }
        let about = book.worksheet_range("About").expect("a sheet");
        let text = |at: usize, cells: &[Data]| cells[at].to_string();
        let pairs: Vec<_> = about.rows().map(|cells| (text(0, cells), text(1, cells))).collect();
        for (name, value) in [("release", asked.release()), ("sql", asked.body["sql"].as_str().expect("SQL"))] {
            assert!(pairs.contains(&(name.to_owned(), value.to_owned())), "{pairs:?}");
        }
        assert!(pairs.iter().any(|(name, _)| name == "cite") && pairs.iter().any(|(name, _)| name == "delta"));
    });
}

#[test]
fn days_are_days_in_typed_files_and_in_specifications() {
    block_on(async {
        let asked = Asked::new(MONTHS).await;
        let read = |frame: DataFrame| {
            let month = frame.column("month").expect("months").clone();
            assert_eq!(month.dtype(), &DataType::Date);
            month
                .cast(&DataType::String)
                .expect("texts")
                .str()
                .expect("texts")
                .iter()
                .flatten()
                .map(str::to_owned)
                .collect()
        };
        let bytes = async |ending| Cursor::new(asked.bytes(ending).await);
        let stream: Vec<String> = read(IpcStreamReader::new(bytes(".arrow").await).finish().expect("Arrow"));
        let file: Vec<String> = read(IpcReader::new(bytes(".feather").await).finish().expect("Feather"));
        let parquet: Vec<String> = read(ParquetReader::new(bytes(".parquet").await).finish().expect("Parquet"));
        let rows = asked.body["rows"].as_array().expect("rows");
        let shown: Vec<_> = rows.iter().map(|row| row["month"].as_str().expect("a day").to_owned()).collect();
        assert!(shown.len() > 2 && shown == stream && shown == file && shown == parquet, "{shown:?} {stream:?}");
        let mut book = Xlsx::new(bytes(".xlsx").await).expect("a workbook");
        let sheet = book.worksheet_range("Answer").expect("a sheet");
        assert!(sheet.rows().skip(1).all(|cells| matches!(cells[0], Data::DateTime(_))), "{:?}", sheet.rows().nth(1));

        let figure = figure::figure("Visits", None, Shape::Line, &asked.table()).expect("a figure");
        let specified = vega::file(&figure, &Provenance::default());
        assert_eq!(specified["encoding"]["x"]["type"], "temporal", "{specified}");
        let regions = Asked::new("SELECT region, COUNT(*) AS n FROM visits GROUP BY region").await;
        let figure = figure::figure("Visits", None, Shape::Bar, &regions.table()).expect("a figure");
        assert_eq!(vega::specification(&figure)["encoding"]["y"]["type"], "nominal", "texts stay texts");
    });
}

#[test]
fn a_chart_without_a_value_says_so_in_words() {
    block_on(async {
        let asked =
            Asked::of(Lab::exact(), "SELECT region, AVG(cost) AS c FROM visits WHERE age > 109 GROUP BY region").await;
        let table = asked.table();
        let is_empty = table.rows.iter().all(|row| table.null("c", row).is_some());
        assert!(is_empty, "{table:?}");
        let figure = figure::figure("Costs", None, Shape::Bar, &table).expect("a figure");
        let drawn = chart::svg(&figure, Placement::Page).into_string();
        assert!(drawn.contains("nothing to show: every value is lost in noise</text>"), "{drawn}");
        assert!(!drawn.contains("chart-axis"), "no empty axes: {drawn}");
    });
}
