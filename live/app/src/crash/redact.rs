//! What of a place in the source and of a backtrace is kept.

/// The most functions that are kept.
const MOST_FUNCTIONS: usize = 128;
/// The most letters of a function's name.
const MOST_LETTERS: usize = 512;
/// Behind this, and one folder more, a path names a crate and a file in it.
const REGISTRY: &str = "registry/src/";

/// A file of the source and a line, without the folders of whoever built the program: the file's path in
/// the workspace, `crate-1.2.3/src/file.rs` for a library, and else the bare name.
pub(super) fn place(file: &str, line: u32) -> String {
    let file = file.replace('\\', "/");
    let in_library = file.split_once(REGISTRY).and_then(|(_, rest)| Some(rest.split_once('/')?.1));
    let is_plain = !file.starts_with('/') && !file.contains(':') && !file.contains("..");
    let shown = match in_library {
        Some(rest) => rest,
        None if is_plain => &file,
        None => file.rsplit('/').next().unwrap_or_default(),
    };
    format!("{shown}:{line}")
}

/// The names of the functions in a backtrace as the standard library prints it: `  12: name`, and below
/// each `at /path/file.rs:1:2`, which is left out.
pub(super) fn symbols(backtrace: &str) -> Vec<String> {
    let name = |line: &str| {
        let (number, name) = line.trim_start().split_once(": ")?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && is_symbol(name)).then(|| name.chars().take(MOST_LETTERS).collect())
    };
    backtrace.lines().filter_map(name).take(MOST_FUNCTIONS).collect()
}

/// Names of functions hold types and no values, and no separator of paths.
fn is_symbol(name: &str) -> bool {
    !name.contains(['/', '\\', '"']) && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_of_whoever_built_it_are_left_out() {
        for (file, shown) in [
            ("live/app/src/main.rs", "live/app/src/main.rs:7"),
            (
                "/opt/ann/.cargo/registry/src/some-index-1/tokio-1.2.3/src/a.rs",
                "tokio-1.2.3/src/a.rs:7",
            ),
            ("/opt/ann/warren/live/app/src/main.rs", "main.rs:7"),
            ("C:\\Users\\Ann\\warren\\src\\main.rs", "main.rs:7"),
            ("../../ann/secret.rs", "secret.rs:7"),
        ] {
            assert_eq!(place(file, 7), shown);
        }
    }

    #[test]
    fn of_a_backtrace_only_names_are_kept() {
        let text = "   0: warren::crash::install\n             at /opt/ann/x.rs:1:2\n  1: <T as a::B>::c\n\
                    2: /opt/ann/lib.so\n  x: y\n";
        assert_eq!(symbols(text), ["warren::crash::install", "<T as a::B>::c"]);
    }
}
