//! Nothing unfinished stays in the code, and no test or lint is switched off without a reason.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::source::{ident, is_mark, walk};
use super::{Finding, Tree};

const UNFINISHED: [&str; 3] = ["todo", "unimplemented", "dbg"];

/// Checks the tokens of every Rust file.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.with_extension("rs") {
        let outcome = walk(text, &mut |tokens, at| {
            findings.extend(unfinished(path, tokens, at));
            findings.extend(switched_off(path, tokens, at));
        });
        if let Err(line) = outcome {
            findings.push(Finding::new(path, line, "not Rust", "mend it until it compiles"));
        }
    }
    findings
}

fn unfinished(path: &str, tokens: &[TokenTree], at: usize) -> Option<Finding> {
    let name = ident(tokens, at)?;
    let called = is_mark(tokens, at + 1, '!') && !is_mark(tokens, at + 2, '=');
    if !called || !UNFINISHED.iter().any(|word| name == word) {
        return None;
    }
    let line = name.span().start().line;
    Some(Finding::new(
        path,
        line,
        format!("{name}! is left in the code"),
        "finish it or take it out",
    ))
}

/// Findings in the attribute that starts at this place, if one does.
fn switched_off(path: &str, tokens: &[TokenTree], at: usize) -> Vec<Finding> {
    if !is_mark(tokens, at, '#') {
        return Vec::new();
    }
    let body = if is_mark(tokens, at + 1, '!') { at + 2 } else { at + 1 };
    match tokens.get(body) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => {
            in_attribute(path, group.stream())
        }
        _ => Vec::new(),
    }
}

fn in_attribute(path: &str, stream: TokenStream) -> Vec<Finding> {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let Some(name) = ident(&tokens, 0) else { return Vec::new() };
    let arguments = match tokens.get(1) {
        Some(TokenTree::Group(group)) => Some(group.stream()),
        _ => None,
    };
    if name == "cfg_attr" {
        return arguments.map(|found| in_condition(path, found)).unwrap_or_default();
    }
    let line = name.span().start().line;
    if name == "ignore" && !is_mark(&tokens, 1, '=') {
        let what = "a test is ignored without a reason";
        return vec![Finding::new(path, line, what, "write `#[ignore = \"why\"]`")];
    }
    let lint_level = name == "allow" || name == "expect";
    if lint_level && !arguments.is_some_and(has_reason) {
        let what = format!("#[{name}] without a reason");
        let remedy = "mend the code, or write `#[expect(lint, reason = \"why\")]`";
        return vec![Finding::new(path, line, what, remedy)];
    }
    Vec::new()
}

/// The attributes that a `cfg_attr` switches on: each after a comma.
fn in_condition(path: &str, stream: TokenStream) -> Vec<Finding> {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ',');
    tokens
        .split(is_comma)
        .skip(1)
        .flat_map(|part| in_attribute(path, part.iter().cloned().collect()))
        .collect()
}

fn has_reason(arguments: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = arguments.into_iter().collect();
    (0..tokens.len()).any(|at| {
        ident(&tokens, at).is_some_and(|name| name == "reason") && is_mark(&tokens, at + 1, '=')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, String)> {
        check(&Tree::of(&[("a.rs", text)])).into_iter().map(|f| (f.line, f.what)).collect()
    }

    #[test]
    fn unfinished_code_is_found_at_its_line() {
        assert_eq!(found("fn a() {\n    todo!()\n}\n"), [(2, "todo! is left in the code".into())]);
        assert_eq!(found("fn a() { unimplemented!() }\n").len(), 1);
        assert_eq!(found("fn a() { f(dbg!(1)) }\n").len(), 1);
    }

    #[test]
    fn words_in_strings_comments_and_comparisons_pass() {
        let text = "//! No todo!() here.\n// dbg!(x)\nfn a(todo: u8) -> bool { \
                    let s = \"todo!()\"; let _ = r#\"dbg!(\"x\")\"#; todo != 1 && s.is_empty() }\n";
        assert_eq!(found(text), []);
    }

    #[test]
    fn an_ignored_test_needs_a_reason() {
        assert_eq!(found("#[test]\n#[ignore]\nfn a() {}\n").len(), 1);
        assert_eq!(found("#[cfg_attr(windows, ignore)]\nfn a() {}\n").len(), 1);
        assert_eq!(found("#[ignore = \"needs a browser\"]\nfn a() {}\n"), []);
    }

    #[test]
    fn an_allowed_lint_needs_a_reason() {
        assert_eq!(found("#[allow(dead_code)]\nfn a() {}\n").len(), 1);
        assert_eq!(found("#![allow(dead_code)]\n").len(), 1);
        assert_eq!(found("#[expect(dead_code)]\nfn a() {}\n").len(), 1);
        assert_eq!(found("#[cfg_attr(test, allow(dead_code))]\nfn a() {}\n").len(), 1);
        assert_eq!(
            found("#[expect(dead_code, reason = \"spelt out in the spec\")]\nfn a() {}\n"),
            []
        );
    }

    #[test]
    fn attributes_inside_functions_are_seen() {
        assert_eq!(found("fn a() { #[allow(unused)] let b = 1; }\n").len(), 1);
    }

    #[test]
    fn a_file_that_is_not_rust_is_found() {
        assert_eq!(found("fn a( {\n").len(), 1);
    }
}
