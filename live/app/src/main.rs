//! The binary `warren`; everything it does lies in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    warren::run()
}
