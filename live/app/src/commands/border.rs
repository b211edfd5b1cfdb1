//! `warren border`: backups made, tried and shown, and then this device wiped.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Method;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::backup::{bar, show, size};
use super::wipe;
use crate::api::Api;
use crate::api::border::{
    Border, BorderAccount, BorderError, BorderPlace, BorderReport, Cross, GivenWords,
};
use crate::api::wipe::{CONFIRMATION, Wiped};
use crate::api::work::{Work, WorkResult, WorkState};
use crate::cli::BorderArgs;
use crate::failure::{Exit, Failure};
use crate::passphrase::{confirmation, is_interactive};
use crate::start::Start;
use crate::stop::Stop;
use crate::terminal_text::line;
use crate::wording::{count, local_time};

/// How often to ask how far it got.
const PAUSE: Duration = Duration::from_millis(100);
/// How often all of it is done anew because something changed while a person read.
const TRIES: usize = 3;
/// How often words may be mistyped.
const TYPOS: usize = 3;

/// Words that were typed, by account.
type Typed = BTreeMap<String, Vec<String>>;

/// Carries the command out.
///
/// # Errors
/// Where an account is in no backup, a backup cannot be made or does not come back whole, the words are
/// others, or somebody thinks better of it. Nothing is wiped then.
pub async fn run(start: &Start, args: &BorderArgs) -> Result<Exit, Failure> {
    if start.is_decoy() {
        let decoy = "a border takes the whole device: leave --decoy out".to_owned();
        return Err(Failure::Usage(decoy));
    }
    let needs_nobody = args.dry_run || (args.words_known && args.yes);
    if !needs_nobody && !is_interactive() {
        return Err(BorderError::NobodyToAsk.into());
    }
    let api = start.api().await?;
    let mut stop = Stop::listen().map_err(Failure::Terminal)?;
    let mut report = save(start, &api, args, &mut stop).await?;
    start.output.text(report_text(&report))?;
    let asks_words = !args.words_known && (!needs_nobody || is_interactive());
    let mut words = match asks_words {
        true => Some(typed_words(start, &api, &report, &mut stop).await?),
        false => None,
    };
    if args.dry_run {
        let value = json!({ "report": report, "wiped": null });
        return start.output.result(&value, "Nothing was wiped: --dry-run.").map(|()| Exit::Done);
    }
    if !args.yes && !is_sure(args.network, &mut stop).await? {
        return Err(BorderError::Declined.into());
    }
    for _ in 1..TRIES {
        match cross(&api, args, words.clone()).await {
            Err(failure) if failure.code() == BorderError::Changed.code() => {
                start.output.progress("Something came meanwhile: once more.");
                report = save(start, &api, args, &mut stop).await?;
                // Others are asked for now, and these were right.
                words = None;
            }
            wiped => return end(start, &report, &wiped?),
        }
    }
    let wiped = cross(&api, args, words).await?;
    end(start, &report, &wiped)
}

fn end(start: &Start, report: &BorderReport, wiped: &Wiped) -> Result<Exit, Failure> {
    start.output.result(&json!({ "report": report, "wiped": wiped }), wipe::text(wiped))?;
    Ok(wipe::exit(wiped))
}

async fn cross(api: &Api, args: &BorderArgs, words: Option<Typed>) -> Result<Wiped, Failure> {
    let asked = Cross {
        confirm: CONFIRMATION.to_owned(),
        words_known: words.is_none(),
        words,
        network: args.network,
        even_offline: args.even_offline,
    };
    api.send(Method::POST, "border/wipe", &asked).await
}

/// Has the backups made and tried, and waits for the report.
async fn save(
    start: &Start,
    api: &Api,
    args: &BorderArgs,
    stop: &mut Stop,
) -> Result<BorderReport, Failure> {
    let backups = (!args.backups.is_empty()).then(|| args.backups.clone());
    let asked = Border { backups, without: args.without.clone() };
    let mut work: Work = api.send(Method::POST, "border", &asked).await?;
    let bar = bar(start.output);
    while work.state == WorkState::Running {
        if let Some(stage) = work.stage {
            show(&bar, stage, work.done, work.total);
        }
        tokio::select! {
            () = sleep(PAUSE) => {}
            () = stop.asked() => {
                bar.finish_and_clear();
                return Err(give_up(api).await);
            }
        }
        work = api.get("work").await?;
    }
    bar.finish_and_clear();
    match (work.result, work.error) {
        (Some(WorkResult::Border(report)), _) => Ok(report),
        (_, Some(error)) => {
            Err(Failure::Api { is_network: false, code: error.code, message: error.message })
        }
        _ => Err(Failure::DaemonTrouble),
    }
}

/// Stops what is at work, and waits until the place is given back.
async fn give_up(api: &Api) -> Failure {
    // Whether it could be told or not: nothing is wiped.
    let _ = api.tell(Method::DELETE, "work", &()).await;
    let ended = async {
        while let Ok(Work { state: WorkState::Running, .. }) = api.get("work").await {
            sleep(PAUSE).await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(10), ended).await;
    BorderError::Interrupted.into()
}

/// Asks for words of every account, until they are right.
async fn typed_words(
    start: &Start,
    api: &Api,
    report: &BorderReport,
    stop: &mut Stop,
) -> Result<Typed, Failure> {
    let mut typed = Typed::new();
    for account in &report.accounts {
        if let Some(words) = words_of(start, api, account, stop).await? {
            typed.insert(account.account_id.clone(), words);
        }
    }
    Ok(typed)
}

/// The words of one account; `None` where they open no backup and nobody wants to type them.
async fn words_of(
    start: &Start,
    api: &Api,
    account: &BorderAccount,
    stop: &mut Stop,
) -> Result<Option<Vec<String>>, Failure> {
    let numbers: Vec<String> = account.ask.iter().map(ToString::to_string).collect();
    let skip = if account.opens { "" } else { " (Enter, if you do not need them)" };
    let prompt = format!(
        "Words {} of the recovery words of '{}'{skip}: ",
        numbers.join(", "),
        line(&account.name),
    );
    for _ in 0..TYPOS {
        let words = asked(&prompt, stop).await?;
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        if words.is_empty() && !account.opens {
            return Ok(None);
        }
        let given = GivenWords { account_id: account.account_id.clone(), words };
        match api.tell(Method::POST, "border/words", &given).await {
            Ok(()) => return Ok(Some(given.words)),
            Err(failure) if failure.code() == "wrong_words" => {
                start.output.progress(&failure.to_string());
            }
            Err(failure) => return Err(failure),
        }
    }
    Err(BorderError::NoWords(account.name.clone()).into())
}

async fn is_sure(network: bool, stop: &mut Stop) -> Result<bool, Failure> {
    let what = if network { "here and in the network" } else { "on this device" };
    let prompt = format!(
        "Everything {what} will be destroyed: accounts, messages, files, keys.\n\
         Type the word {CONFIRMATION} to do it: "
    );
    Ok(asked(&prompt, stop).await? == CONFIRMATION)
}

/// What somebody types. Ctrl-C ends the waiting.
async fn asked(prompt: &str, stop: &mut Stop) -> Result<String, Failure> {
    let (give, typed) = oneshot::channel();
    let prompt = prompt.to_owned();
    // A thread that nobody waits for: whoever reads a terminal cannot be told to stop.
    std::thread::spawn(move || give.send(confirmation(&prompt)));
    tokio::select! {
        typed = typed => match typed {
            Ok(typed) => typed?.ok_or_else(|| BorderError::NobodyToAsk.into()),
            Err(_) => Err(BorderError::Declined.into()),
        },
        () = stop.asked() => Err(BorderError::Interrupted.into()),
    }
}

fn report_text(report: &BorderReport) -> String {
    let mut lines = vec![
        "Backed up, brought back for a trial, and read to the end. What came back is what is here:"
            .to_owned(),
        String::new(),
    ];
    lines.extend(report.accounts.iter().map(account_text));
    if !report.lost.is_empty() {
        let lost: Vec<String> = report.lost.iter().map(|account| line(&account.name)).collect();
        lines.push(format!("\nIn no backup, and gone afterwards: {}", lost.join(", ")));
    }
    for place in &report.places {
        lines.push(String::new());
        lines.extend(place_text(place, &report.accounts));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn account_text(account: &BorderAccount) -> String {
    let many = |number: u64, noun| count(usize::try_from(number).unwrap_or(usize::MAX), noun);
    format!(
        "  {}  {}, {}, {}, {} ({})",
        line(&account.name),
        many(account.conversations, "conversation"),
        many(account.messages, "message"),
        many(account.contacts, "contact"),
        many(account.files, "file"),
        size(account.file_bytes),
    )
}

fn place_text(place: &BorderPlace, accounts: &[BorderAccount]) -> Vec<String> {
    let key = accounts.iter().find(|account| account.account_id == place.key_account);
    let whose = key.map_or_else(|| place.key_account.clone(), |account| line(&account.name));
    let mut lines = vec![
        format!("The backup '{}' lies at {}.", line(&place.backup), line(&place.place)),
        format!(
            "  Snapshot {} of {}, {}, {}",
            place.snapshot,
            local_time(place.created),
            count(place.parts, "part"),
            size(place.bytes),
        ),
    ];
    if place.same_disk {
        lines.push(
            "  Careful: that is the disk this home is on. If it crosses with you, it can be copied; \
             only the\n  recovery words open what is copied."
                .to_owned(),
        );
    }
    lines.push(format!(
        "On the other side it takes the recovery words of '{whose}', Warren, and this command:"
    ));
    lines.push(format!("  {}", line(&place.command)));
    if let Some(file) = &place.place_file {
        lines.push("with a file place.json that says".to_owned());
        lines.push(format!("  {}", line(file)));
    }
    if !place.carry.is_empty() {
        lines.push(format!("where you put in what you carry: {}.", place.carry.join(", ")));
    }
    lines
}
