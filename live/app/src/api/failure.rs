//! Failures as an app sees them: a status, a code that stays, and words for people.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warren_client::ClientError;
use warren_client::attachments::AttachmentError;
use warren_client::backup::BackupError;
use warren_client::database::DatabaseError;
use warren_client::tripwire::TripwireError;
use warren_client::vault::VaultError;
use warren_lock::tripwire::TripwireError as Rule;

use super::border::BorderError;
use crate::failure::Failure;

/// The body of every answer whose status is 400 or above.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorText,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorText {
    /// A name for programs, which stays the same where the words change.
    pub code: String,
    /// The reason and what to do, for people.
    pub message: String,
}

impl ErrorText {
    /// What a failure says.
    pub fn of(failure: &Failure) -> Self {
        Self { code: failure.code().to_owned(), message: failure.to_string() }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = status(&self);
        let error = ErrorText::of(&self);
        (status, Json(ErrorBody { error })).into_response()
    }
}

fn status(failure: &Failure) -> StatusCode {
    match failure {
        _ if failure.is_network() => StatusCode::SERVICE_UNAVAILABLE,
        Failure::NoSuchEndpoint
        | Failure::NoSuchGroup
        | Failure::Client(ClientError::Attachment(
            AttachmentError::Missing | AttachmentError::Expired,
        ))
        | Failure::Client(
            ClientError::NoAccount
            | ClientError::NoSuchDraft(_)
            | ClientError::NoShares
            | ClientError::NotAsked
            | ClientError::NoTripwire
            | ClientError::NoTrustedSet
            | ClientError::NoWipeCode
            | ClientError::NothingOrdered,
        )
        | Failure::NoSharesYet
        | Failure::NoReport(_)
        | Failure::NoWork
        | Failure::Client(ClientError::NoBackup(_))
        | Failure::Client(ClientError::Backup(
            BackupError::Nothing | BackupError::NoSuchSnapshot,
        ))
        | Failure::Client(ClientError::Database(
            DatabaseError::UnknownAccount | DatabaseError::UnknownContact | DatabaseError::Gone,
        )) => StatusCode::NOT_FOUND,
        Failure::NameTaken(_)
        | Failure::BackupExists(_)
        | Failure::Busy
        | Failure::WorkStopped
        | Failure::Border(
            BorderError::Uncovered(_)
            | BorderError::PlaceInHome(_)
            | BorderError::Unsettled(_)
            | BorderError::NotReady
            | BorderError::Changed
            | BorderError::NoWords(_)
            | BorderError::Declined
            | BorderError::NobodyToAsk
            | BorderError::Interrupted,
        )
        | Failure::Client(ClientError::Vault(VaultError::Exists))
        | Failure::Client(ClientError::Backup(BackupError::Locked { .. } | BackupError::Busy))
        | Failure::Cancelled
        | Failure::NotYourName { .. }
        | Failure::NoDaemon
        | Failure::Client(
            ClientError::NoSeed
            | ClientError::WhichAccount(_)
            | ClientError::WhichDevice
            | ClientError::WipeCodeExpired
            | ClientError::DecoysTrustNobody
            | ClientError::Tripwire(TripwireError::Rule(Rule::Place))
            | ClientError::NothingToResend
            | ClientError::LastAdmin
            | ClientError::AdminStays
            | ClientError::Database(
                DatabaseError::AccountExists
                | DatabaseError::AmbiguousName { .. }
                | DatabaseError::PetnameTaken,
            ),
        ) => StatusCode::CONFLICT,
        Failure::BadRequest(_)
        | Failure::BackupPlace(_)
        | Failure::Client(ClientError::Backup(BackupError::Target(_)))
        | Failure::Client(ClientError::Update(_))
        | Failure::Share { .. }
        | Failure::OddShare { .. }
        | Failure::Combine(_)
        | Failure::WipeNotConfirmed
        | Failure::Seed(_)
        | Failure::EmptyMessage
        | Failure::Name(_)
        | Failure::NoAccountId
        | Failure::Client(
            ClientError::Mnemonic(_)
            | ClientError::Split(_)
            | ClientError::NotAFriend
            | ClientError::NoDeviceToTell
            | ClientError::TrustedFriends
            | ClientError::Trust(_)
            | ClientError::Tripwire(TripwireError::Rule(Rule::Term))
            | ClientError::Content(_)
            | ClientError::Seal(_)
            | ClientError::NotAPerson
            | ClientError::TooManyMembers
            | ClientError::GroupName
            | ClientError::Proxy(_)
            | ClientError::Attachment(AttachmentError::Image),
        ) => StatusCode::BAD_REQUEST,
        Failure::Border(BorderError::WrongWords(_))
        | Failure::Client(ClientError::Vault(
            VaultError::WrongPassphrase | VaultError::EmptyPassphrase,
        ))
        | Failure::Client(
            ClientError::NotYours
            | ClientError::NotAMember
            | ClientError::NotAnAdmin
            | ClientError::WrongWipeCode,
        ) => StatusCode::FORBIDDEN,
        Failure::Client(ClientError::Vault(VaultError::TooSoon { .. })) => {
            StatusCode::TOO_MANY_REQUESTS
        }
        Failure::Client(ClientError::Vault(VaultError::Code(_))) => StatusCode::BAD_REQUEST,
        Failure::Client(ClientError::Vault(VaultError::CodeInUse | VaultError::Changed)) => {
            StatusCode::CONFLICT
        }
        Failure::Locked => StatusCode::LOCKED,
        Failure::TooSlow => StatusCode::GATEWAY_TIMEOUT,
        Failure::NotTaken(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Failure::TooMuchInput(_)
        | Failure::Client(ClientError::Attachment(AttachmentError::TooLarge)) => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
