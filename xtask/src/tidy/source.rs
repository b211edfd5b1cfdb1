//! Rust text as tokens with lines, so that words in strings and comments are never mistaken for code.

use std::str::FromStr;

use proc_macro2::{Ident, TokenStream, TokenTree};

/// Shows every place of every nesting level: the tokens beside each other, and the place among them.
///
/// # Errors
/// A text that is not Rust gives the line at which reading stopped.
pub(super) fn walk(text: &str, see: &mut dyn FnMut(&[TokenTree], usize)) -> Result<(), usize> {
    let stream = TokenStream::from_str(text).map_err(|error| error.span().start().line)?;
    walk_stream(stream, see);
    Ok(())
}

fn walk_stream(stream: TokenStream, see: &mut dyn FnMut(&[TokenTree], usize)) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        see(&tokens, at);
        if let TokenTree::Group(group) = token {
            walk_stream(group.stream(), see);
        }
    }
}

/// The identifier at a place, if there is one.
pub(super) fn ident(tokens: &[TokenTree], at: usize) -> Option<&Ident> {
    match tokens.get(at)? {
        TokenTree::Ident(ident) => Some(ident),
        _ => None,
    }
}

/// Whether a place holds this punctuation mark.
pub(super) fn is_mark(tokens: &[TokenTree], at: usize, mark: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idents(text: &str) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        walk(text, &mut |tokens, at| {
            if let Some(ident) = ident(tokens, at) {
                found.push((ident.to_string(), ident.span().start().line));
            }
        })
        .unwrap();
        found
    }

    #[test]
    fn strings_and_comments_hold_no_identifiers() {
        let text = "// a\n/* b /* c */ */ static D: &str = r#\"e \" f\"#;\n";
        let names: Vec<_> = idents(text).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["static", "D", "str"]);
    }

    #[test]
    fn nested_tokens_keep_their_lines() {
        assert!(idents("fn a() {\n  {\n    b();\n  }\n}\n").contains(&("b".to_owned(), 3)));
    }

    #[test]
    fn what_is_not_rust_is_told_by_line() {
        assert!(walk("fn a() {}\n\"open", &mut |_, _| ()).is_err());
    }
}
