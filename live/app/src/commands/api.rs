//! `warren api`: what the local API can do.

use crate::api;
use crate::failure::{Exit, Failure};
use crate::start::Start;

/// Prints the description of the API.
///
/// # Errors
/// Where stdout is closed.
pub fn openapi(start: &Start) -> Result<Exit, Failure> {
    let description = api::description().map_err(|error| Failure::Output(error.into()))?;
    start.output.raw(description.as_bytes())?;
    Ok(Exit::Done)
}
