//! `warren-node`: one node as a program of its own.

use std::process::ExitCode;

use clap::Parser;

mod cli;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match cli::execute(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("warren-node: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
