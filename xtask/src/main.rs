//! The command line of the chores, reached as `cargo xtask <chore>`.

use std::process::ExitCode;

use xtask::tidy::{self, Tree};
use xtask::{generate, repository_root};

const USAGE: &str = "usage: cargo xtask tidy        check the house rules over the tracked files
       cargo xtask generate    write docs/api/openapi.json and web/api/warren.ts";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["tidy"] => run_tidy(),
        ["generate"] => run_generate(),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn run_generate() -> ExitCode {
    match generate::generate(repository_root()) {
        Ok(written) => {
            println!("generate: {}", written.join(", "));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("generate: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_tidy() -> ExitCode {
    let tree = match Tree::read(repository_root()) {
        Ok(tree) => tree,
        Err(error) => {
            eprintln!("tidy: {error}");
            return ExitCode::from(2);
        }
    };
    let findings = tidy::check(&tree);
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy: {} files, nothing to do", tree.len());
        ExitCode::SUCCESS
    } else {
        println!("tidy: {} to mend", findings.len());
        ExitCode::FAILURE
    }
}
