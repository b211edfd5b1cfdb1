//! `warren contacts`: names for Account IDs, kept on this device.

use axum::http::Method;
use serde_json::{Value, json};

use crate::api::AccountApi;
use crate::api::contacts::{Contact, ContactChange, ContactName, Contacts};
use crate::cli::ContactsCommand;
use crate::failure::{Exit, Failure};
use crate::start::Start;
use crate::{people, terminal_text, wording};

/// Carries the command out.
///
/// # Errors
/// Where a name or an id does not fit, or the database fails.
pub async fn run(start: &Start, command: Option<&ContactsCommand>) -> Result<Exit, Failure> {
    let account = start.account().await?;
    match command {
        None | Some(ContactsCommand::List) => list(start, &account).await,
        Some(ContactsCommand::Add { id, name }) => add(start, &account, id, name).await,
        Some(ContactsCommand::Rename { contact, name }) => {
            rename(start, &account, contact, name).await
        }
        Some(ContactsCommand::Block { contact }) => block(start, &account, contact, true).await,
        Some(ContactsCommand::Unblock { contact }) => block(start, &account, contact, false).await,
        Some(ContactsCommand::Remove { contact }) => remove(start, &account, contact).await,
    }
    .map(|()| Exit::Done)
}

async fn list(start: &Start, account: &AccountApi) -> Result<(), Failure> {
    let Contacts { contacts } = account.get("contacts").await?;
    let value = json!({ "contacts": contacts.iter().map(contact_json).collect::<Vec<_>>() });
    if contacts.is_empty() {
        let text = "There are no contacts yet: `warren contacts add ID --name NAME` adds one.";
        return start.output.result(&value, text);
    }
    let lines: Vec<String> = contacts.iter().map(contact_line).collect();
    start.output.result(&value, lines.join("\n"))
}

fn contact_line(contact: &Contact) -> String {
    let own = contact.calls_themselves.as_deref();
    let calls = own.map(|own| format!("calls themselves '{}'", terminal_text::line(own)));
    match &contact.name {
        Some(name) if contact.blocked => {
            format!("{}  {} (blocked)", contact.account_id, terminal_text::line(name))
        }
        Some(name) => format!("{}  {}", contact.account_id, terminal_text::line(name)),
        None => format!("{}  ({})", contact.account_id, calls.as_deref().unwrap_or("no name yet")),
    }
}

async fn add(start: &Start, account: &AccountApi, id: &str, name: &str) -> Result<(), Failure> {
    let id = wording::person(id)?;
    let name = wording::name(name)?.to_owned();
    let path = format!("contacts/{id}");
    let contact = account.send(Method::PUT, &path, &ContactName { name }).await?;
    show(start, &contact)
}

async fn rename(start: &Start, account: &AccountApi, who: &str, name: &str) -> Result<(), Failure> {
    let path = format!("contacts/{}", people::peer(account, who).await?.account_id);
    let name = Some(wording::name(name)?.to_owned());
    let contact =
        account.send(Method::PATCH, &path, &ContactChange { name, ..Default::default() }).await?;
    show(start, &contact)
}

async fn block(
    start: &Start,
    account: &AccountApi,
    who: &str,
    blocked: bool,
) -> Result<(), Failure> {
    let id = people::peer(account, who).await?.account_id;
    let change = ContactChange { blocked: Some(blocked), ..Default::default() };
    let contact: Contact = account.send(Method::PATCH, &format!("contacts/{id}"), &change).await?;
    let text = if contact.blocked {
        format!("{id} is blocked: nothing of theirs is kept.")
    } else {
        format!("{id} may write again.")
    };
    start.output.result(&contact_json(&contact), text)
}

async fn remove(start: &Start, account: &AccountApi, who: &str) -> Result<(), Failure> {
    let id = people::peer(account, who).await?.account_id;
    account.tell(Method::DELETE, &format!("contacts/{id}"), &()).await?;
    let value = json!({ "account_id": id, "removed": true });
    start.output.result(&value, format!("{id} is no contact any more; its messages stay."))
}

fn show(start: &Start, contact: &Contact) -> Result<(), Failure> {
    let name = contact.name.as_deref().unwrap_or_default();
    let text = format!("'{}' is {}.", terminal_text::line(name), contact.account_id);
    start.output.result(&contact_json(contact), text)
}

fn contact_json(contact: &Contact) -> Value {
    json!({
        "account_id": contact.account_id,
        "name": contact.name,
        "calls_themselves": contact.calls_themselves,
        "approved": contact.approved,
        "blocked": contact.blocked,
    })
}
