//! `warren-node manual`: what a packager installs beside the program.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate_to};

use super::{Arguments, CommandError};

/// Writes the manual pages and the completions for shells.
#[derive(Debug, Args)]
pub(crate) struct Manual {
    /// Folder to write them to
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

impl Manual {
    /// Writes `man1` and `completions` under the folder.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub(crate) fn execute(self) -> Result<(), CommandError> {
        write(&self.to)?;
        println!("The manual pages and completions are in {}.", self.to.display());
        Ok(())
    }
}

fn write(to: &Path) -> io::Result<()> {
    let (pages, completions) = (to.join("man1"), to.join("completions"));
    std::fs::create_dir_all(&pages)?;
    std::fs::create_dir_all(&completions)?;
    clap_mangen::generate_to(Arguments::command(), &pages)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut Arguments::command(), "warren-node", &completions)?;
    }
    // Debian finds a completion for bash by the name of the program alone.
    let mut named = File::create(completions.join("warren-node"))?;
    let mut script = File::open(completions.join("warren-node.bash"))?;
    io::copy(&mut script, &mut named)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_has_a_page_and_every_shell_a_script() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        for file in [
            "man1/warren-node.1",
            "man1/warren-node-run.1",
            "man1/warren-node-check-config.1",
            "completions/warren-node",
            "completions/_warren-node",
            "completions/warren-node.fish",
        ] {
            assert!(folder.path().join(file).metadata().unwrap().len() > 100, "{file}");
        }
    }
}
