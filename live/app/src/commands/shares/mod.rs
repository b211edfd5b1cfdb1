//! `warren shares`: recovery words split among people, and brought back.

use crate::cli::SharesCommand as Do;
use crate::failure::{Exit, Failure};
use crate::start::Start;

mod combine;
mod friends;
mod split;

/// Carries the command out.
///
/// # Errors
/// Where the numbers make no sense, a share is none or does not go with the others, a file cannot be
/// written, or somebody did not ask. A network that cannot be reached is no error: what is to be sent
/// waits.
pub async fn run(start: &Start, command: &Do) -> Result<Exit, Failure> {
    match command {
        Do::Split(args) => split::split(start, args).await.map(|()| Exit::Done),
        Do::Combine(args) => combine::combine(start, args).await.map(|()| Exit::Done),
        Do::Give { threshold, friends } => friends::give(start, *threshold, friends).await,
        Do::Given => friends::given(start).await,
        Do::Held => friends::held(start).await,
        Do::Forget { owner } => friends::forget(start, owner).await,
        Do::Ask { lost, friends } => friends::ask(start, lost, friends).await,
        Do::Requests => friends::requests(start).await,
        Do::Return { asker, of, yes } => friends::give_back(start, asker, of, *yes).await,
        Do::Returned { restore: true, name } => friends::restore(start, name.as_deref()).await,
        Do::Returned { .. } => friends::returned(start).await,
    }
}
