//! The thin way in: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    tacit::cli::run()
}
