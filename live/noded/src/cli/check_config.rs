//! `warren-node check-config`: what is configured, where it comes from, and whether it would run.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use warren_noded::config::Loaded;
use warren_noded::config::check::{self, Finding, Level};
use warren_noded::node::now;

use super::CommandError;

/// Shows what is configured and where each value comes from, and checks that a node could run.
///
/// Looks at folders, keys, clock, ports and the list of nodes, asks the authorities and the database
/// for some seconds whether they answer, and changes nothing. Passwords are
/// not shown. Ends with 0 where a node would run, with 1 where it would not, and with 2 where the
/// configuration cannot be read.
#[derive(Debug, Args)]
pub(crate) struct CheckConfig {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = "WARREN_NODE_CONFIG")]
    config: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl CheckConfig {
    /// Prints what was found.
    ///
    /// # Errors
    /// Where the configuration cannot be read.
    pub(crate) fn execute(self) -> Result<ExitCode, CommandError> {
        let loaded = Loaded::read(self.config.as_deref(), Vec::new())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let findings = runtime.block_on(check::check(&loaded, now()));
        let runs = findings.iter().all(|finding| finding.level < Level::Error);
        if self.json {
            print_json(&loaded, &findings, runs);
        } else {
            print_text(&loaded, &findings, runs);
        }
        Ok(if runs { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn print_json(loaded: &Loaded, findings: &[Finding], runs: bool) {
    let effective: serde_json::Map<String, serde_json::Value> = loaded
        .effective()
        .into_iter()
        .map(|(key, value, source)| (key, json!({ "value": value, "source": source.to_string() })))
        .collect();
    println!("{}", json!({ "runs": runs, "effective": effective, "findings": findings }));
}

fn print_text(loaded: &Loaded, findings: &[Finding], runs: bool) {
    for (key, value, source) in loaded.effective() {
        let value = match value {
            serde_json::Value::Null => "(not set)".to_owned(),
            value => value.to_string(),
        };
        println!("{key:<45} {value:<30} {source}");
    }
    println!();
    for finding in findings {
        let level = match finding.level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Error => "error",
        };
        match finding.key.as_str() {
            "" => println!("{level:<8} {}", finding.text),
            key => println!("{level:<8} {key} ({}): {}", finding.source, finding.text),
        }
    }
    println!();
    println!(
        "{}",
        if runs { "A node would run." } else { "A node would not run: see the errors." }
    );
}
