//! `warren-sim`: runs seeds of the simulated swarm; each that fails is printed.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use clap::Parser;

/// Runs seeds of a simulated swarm of seven: what was acknowledged must be there, what was deleted
/// must not, and members must agree.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many seeds
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// How many at once [default: one for each processor]
    #[arg(long)]
    jobs: Option<usize>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let jobs = cli.jobs.or_else(|| std::thread::available_parallelism().ok().map(Into::into));
    let (next, failed) = (AtomicU64::new(cli.from), AtomicUsize::new(0));
    let (acknowledged, kept, gone) =
        (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..jobs.unwrap_or(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= cli.from.saturating_add(cli.seeds) {
                        break;
                    }
                    match warren_sim::run(seed) {
                        Ok(report) => {
                            acknowledged.fetch_add(report.acknowledged, Ordering::Relaxed);
                            kept.fetch_add(report.kept, Ordering::Relaxed);
                            gone.fetch_add(report.gone, Ordering::Relaxed);
                        }
                        Err(what) => {
                            println!("{what}");
                            failed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    println!(
        "{} seeds, {failed} failed; {} requests acknowledged, {} messages had to be there, {} gone",
        cli.seeds,
        acknowledged.into_inner(),
        kept.into_inner(),
        gone.into_inner(),
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
