//! `warren path`: the nodes that requests pass through, proven by a question through them.

use serde_json::json;

use crate::api::network::{Hop, PathInUse};
use crate::failure::{Exit, Failure};
use crate::start::Start;
use crate::wording::{json_time, local_time, node_json, node_line};

/// Carries the command out.
///
/// # Errors
/// Where no path can be built.
pub async fn run(start: &Start) -> Result<Exit, Failure> {
    let path: PathInUse = start.account().await?.get("path").await?;
    let numbered = || (1..).zip(&path.hops);
    let line = |(number, hop): (usize, &Hop)| {
        node_line(number, hop, if number == 1 { "guard" } else { "" })
    };
    let hops: Vec<_> = numbered()
        .map(|(number, hop)| {
            let mut value = node_json(number, hop);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("guard".to_owned(), (number == 1).into());
            }
            value
        })
        .collect();
    let value = json!({ "hops": hops, "since": json_time(path.since) });
    let text = format!(
        "You, then:\n\n{}\n\nand then the node that keeps the mail. In use since {}; it answers.",
        numbered().map(line).collect::<Vec<_>>().join("\n"),
        local_time(path.since),
    );
    start.output.result(&value, text)?;
    Ok(Exit::Done)
}
