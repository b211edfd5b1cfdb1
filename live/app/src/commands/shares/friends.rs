//! `warren shares` between friends: given, kept, asked for, given back.

use axum::http::Method;
use serde_json::json;

use crate::api::AccountApi;
use crate::api::accounts::Account;
use crate::api::recovery::{
    Asking, GaveBack, GiveBack, GivenShare, GivenShares, HandOut, HeldShares, RestoredName,
    Returned, ReturnedSet, ShareRequests,
};
use crate::commands::message::report;
use crate::failure::{Exit, Failure};
use crate::start::Start;
use crate::wording::{count, local_time};
use crate::{people, terminal_text, wording};

/// How many letters of an id two people compare at its beginning and at its end.
const COMPARED: usize = 8;

pub(super) async fn give(
    start: &Start,
    threshold: u8,
    friends: &[String],
) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let how = HandOut { threshold, friends: people::all(&account, friends).await? };
    let given: GivenShares = account.send(Method::POST, "shares/given", &how).await?;
    let text = format!(
        "Each of {} is handed a share; any {threshold} of them together bring your account back, and\n\
         whoever brings {threshold} together has it. `warren shares given` shows whose app keeps one: until \
         it\nsays so, do not count on it. Keep their Account IDs where you find them without this device.",
        count(given.shares.len(), "friend"),
    );
    let value = json!({ "shares": given.shares });
    report(&account, start.output, value, &text).await
}

pub(super) async fn given(start: &Start) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let given: GivenShares = account.get("shares/given").await?;
    let mut lines = Vec::new();
    for share in &given.shares {
        lines.push(given_line(&account, share).await?);
    }
    if lines.is_empty() {
        lines
            .push("No friend was given a share: `warren shares give` splits the words.".to_owned());
    }
    start.output.result(&json!({ "shares": given.shares }), lines.join("\n"))?;
    Ok(Exit::Done)
}

async fn given_line(account: &AccountApi, share: &GivenShare) -> Result<String, Failure> {
    let friend = people::shown(account, &share.friend).await?;
    let state = share.kept_at.map_or_else(
        || "their app has not said that it keeps it".to_owned(),
        |at| format!("kept since {}", local_time(at)),
    );
    let (set, number, threshold) = (&share.set, share.number, share.threshold);
    Ok(format!("{friend}  share {number} of '{set}', any {threshold} bring it back, {state}"))
}

pub(super) async fn held(start: &Start) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let held: HeldShares = account.get("shares/held").await?;
    let mut lines = Vec::new();
    for share in &held.shares {
        let owner = people::shown(&account, &share.owner).await?;
        let (set, number) = (terminal_text::line(&share.set), share.number);
        let since = local_time(share.received_at);
        lines.push(format!("{owner}  share {number} of '{set}', since {since}"));
    }
    if lines.is_empty() {
        lines.push("You keep no shares for others.".to_owned());
    }
    start.output.result(&json!({ "shares": held.shares }), lines.join("\n"))?;
    Ok(Exit::Done)
}

pub(super) async fn forget(start: &Start, owner: &str) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let owner = people::peer(&account, owner).await?.account_id;
    let path = format!("shares/held/{owner}");
    let GaveBack { shares } = account.send(Method::DELETE, &path, &()).await?;
    let text = format!(
        "{} deleted. They are not told: tell them, so that they do not count on you.",
        count(shares, "share")
    );
    start.output.result(&json!({ "owner": owner, "shares": shares }), text)?;
    Ok(Exit::Done)
}

pub(super) async fn ask(start: &Start, lost: &str, friends: &[String]) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let lost = wording::person(lost)?.to_string();
    let friends = people::all(&account, friends).await?;
    let asking = Asking { friends, lost };
    account.tell(Method::POST, "shares/asked", &asking).await?;
    let own = &account.account.account_id;
    let text = format!(
        "{} asked. Call each of them and read them the Account ID you ask from:\n\n  {own}\n\n\
         `warren shares returned` shows what came back.",
        count(asking.friends.len(), "friend"),
    );
    let value = json!({ "asked": asking.friends, "lost": asking.lost, "from": own });
    report(&account, start.output, value, &text).await
}

pub(super) async fn requests(start: &Start) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let all: ShareRequests = account.get("shares/requests").await?;
    let mut lines = Vec::new();
    for request in &all.requests {
        let claimed = people::shown(&account, &request.account).await?;
        let held = if request.held { "" } else { ", of whom you keep no share" };
        let done = request.returned_at.map(local_time);
        let done = done.map(|at| format!(", given back {at}")).unwrap_or_default();
        lines.push(format!("{}  says: I am {claimed}{held}{done}", request.asker));
    }
    if lines.is_empty() {
        lines.push("Nobody asked for a share.".to_owned());
    } else {
        lines.push(
            "\nAnybody can say so. Call the person at a number you had before, and have them read you \
             the Account ID\nthey ask from; then `warren shares return ID --of PERSON`."
                .to_owned(),
        );
    }
    start.output.result(&json!({ "requests": all.requests }), lines.join("\n"))?;
    Ok(Exit::Done)
}

pub(super) async fn give_back(
    start: &Start,
    asker: &str,
    of: &str,
    yes: bool,
) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let asker = people::peer(&account, asker).await?.account_id;
    let owner = people::recipient(&account, of).await?.account_id;
    if !yes {
        let start = asker.get(..COMPARED).unwrap_or_default().to_owned();
        let end = asker.get(asker.len().saturating_sub(COMPARED)..).unwrap_or_default().to_owned();
        return Err(Failure::GivesShare { asker, start, end });
    }
    let path = format!("shares/requests/{asker}/return");
    let GaveBack { shares } =
        account.send(Method::POST, &path, &GiveBack { owner: owner.clone() }).await?;
    let text = format!("{} given to {asker}. You keep them, too.", count(shares, "share"));
    let value = json!({ "asker": asker, "owner": owner, "shares": shares });
    report(&account, start.output, value, &text).await
}

pub(super) async fn returned(start: &Start) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let all: Returned = account.get("shares/returned").await?;
    let mut lines: Vec<String> = all.sets.iter().map(set_line).collect();
    if lines.is_empty() {
        lines.push("Nothing came back yet: `warren read` fetches what friends send.".to_owned());
    }
    start.output.result(&json!({ "sets": all.sets }), lines.join("\n"))?;
    Ok(Exit::Done)
}

fn set_line(set: &ReturnedSet) -> String {
    let (name, have, need) = (&set.set, set.have, set.need);
    let state = match (&set.account_id, &set.trouble) {
        (Some(id), _) => format!(
            ": they bring back {id}. Compare it with the Account ID that was lost, then add --restore"
        ),
        (None, Some(trouble)) => format!(": {trouble}"),
        (None, None) => String::new(),
    };
    format!("'{name}'  {have} of {need} shares{state}")
}

pub(super) async fn restore(start: &Start, name: Option<&str>) -> Result<Exit, Failure> {
    let of = start.account().await?;
    let name = name.map(wording::name).transpose()?.map(str::to_owned);
    let account: Account =
        of.send(Method::POST, "shares/returned/restore", &RestoredName { name }).await?;
    let text = format!(
        "The account '{}' is back.\n\n  Account ID  {}\n\n`warren read --all` fetches the messages that the \
         network still keeps. Your friends' shares stay good:\nif one of them gave theirs to a \
         stranger, make a new account instead.",
        terminal_text::line(&account.name),
        account.account_id,
    );
    let value = json!({ "account_id": account.account_id, "name": account.name });
    start.output.result(&value, text)?;
    Ok(Exit::Done)
}
