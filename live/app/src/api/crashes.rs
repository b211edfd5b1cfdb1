//! Reports of faults in the program, which stay on this device.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::failure::ErrorBody;
use super::session::Home;
use crate::crash;
use crate::failure::Failure;

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show, delete))
}

/// The reports of a home.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CrashReports {
    /// By number.
    pub reports: Vec<CrashLine>,
}

/// A report, as a list shows it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CrashLine {
    /// Its number.
    pub number: u32,
    /// Where in the source; absent where the report is damaged.
    pub place: Option<String>,
}

/// A report: all that is kept of a fault.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CrashReport {
    /// Its number.
    pub number: u32,
    /// The version of the program.
    pub version: String,
    /// The kind of machine.
    pub machine: String,
    /// Where in the source.
    pub place: String,
    /// What the fault said, where that is a literal of the source; else how long it was.
    pub message: String,
    /// The functions that were at work, the innermost first.
    pub functions: Vec<String>,
    /// The report as it lies on the disk, and as it would be given to somebody.
    pub text: String,
}

/// The reports of faults on this device. Answered while it is locked, too: they hold nothing that comes
/// from a person.
#[utoipa::path(
    get, path = "/crashes", tag = "crashes",
    responses((status = 200, body = CrashReports), (status = "default", body = ErrorBody)),
)]
async fn list(State(home): State<Arc<Home>>) -> Result<Json<CrashReports>, Failure> {
    let folder = home.folder();
    let numbers = crash::list(folder).map_err(|error| failed(&home, None, error))?;
    let line = |number| {
        let place = crash::read(folder, number).ok().map(|(report, _)| report.place);
        CrashLine { number, place }
    };
    Ok(Json(CrashReports { reports: numbers.into_iter().map(line).collect() }))
}

/// A report in full.
#[utoipa::path(
    get, path = "/crashes/{number}", tag = "crashes",
    params(("number" = u32, Path, description = "Its number")),
    responses((status = 200, body = CrashReport), (status = "default", body = ErrorBody)),
)]
async fn show(
    State(home): State<Arc<Home>>,
    Path(number): Path<u32>,
) -> Result<Json<CrashReport>, Failure> {
    let read = crash::read(home.folder(), number);
    let (report, text) = read.map_err(|error| failed(&home, Some(number), error))?;
    let crash::Report { version, machine, place, message, functions } = report;
    Ok(Json(CrashReport { number, version, machine, place, message, functions, text }))
}

/// Deletes a report.
#[utoipa::path(
    delete, path = "/crashes/{number}", tag = "crashes",
    params(("number" = u32, Path, description = "Its number")),
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn delete(
    State(home): State<Arc<Home>>,
    Path(number): Path<u32>,
) -> Result<StatusCode, Failure> {
    let deleted = crash::delete(home.folder(), number);
    deleted.map_err(|error| failed(&home, Some(number), error))?;
    Ok(StatusCode::NO_CONTENT)
}

fn failed(home: &Home, number: Option<u32>, error: io::Error) -> Failure {
    match number {
        Some(number) if error.kind() == io::ErrorKind::NotFound => Failure::NoReport(number),
        _ => Failure::Path { path: home.folder().join("crashes"), error },
    }
}
