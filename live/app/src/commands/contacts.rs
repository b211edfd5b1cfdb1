//! `warren contacts`: names for Account IDs, kept on this device.

use serde_json::{Value, json};
use warren_client::database::{AccountDb, Contact};
use warren_wire::AccountId;

use crate::cli::ContactsCommand;
use crate::failure::{Exit, Failure};
use crate::start::Start;
use crate::terminal_text;
use crate::wording::{self, now};

/// Carries the command out.
///
/// # Errors
/// Where a name or an id does not fit, or the database fails.
pub fn run(start: &Start, command: Option<&ContactsCommand>) -> Result<Exit, Failure> {
    let messenger = start.messenger()?;
    let done = messenger.db().with(|db| match command {
        None | Some(ContactsCommand::List) => list(start, db),
        Some(ContactsCommand::Add { id, name }) => add(start, db, id, name),
        Some(ContactsCommand::Rename { contact, name }) => rename(start, db, contact, name),
        Some(ContactsCommand::Remove { contact }) => remove(start, db, contact),
    });
    done.map(|()| Exit::Done)
}

fn list(start: &Start, db: &AccountDb) -> Result<(), Failure> {
    let contacts = db.contacts()?;
    let value = json!({ "contacts": contacts.iter().map(contact_json).collect::<Vec<_>>() });
    if contacts.is_empty() {
        let text = "There are no contacts yet: `warren contacts add ID --name NAME` adds one.";
        return start.output.result(&value, text);
    }
    let lines: Vec<String> = contacts.iter().map(contact_line).collect();
    start.output.result(&value, lines.join("\n"))
}

fn contact_line(contact: &Contact) -> String {
    let own = contact.name.as_str();
    let calls =
        (!own.is_empty()).then(|| format!("calls themselves '{}'", terminal_text::line(own)));
    match &contact.petname {
        Some(petname) => format!("{}  {}", contact.id, terminal_text::line(petname)),
        None => format!("{}  ({})", contact.id, calls.as_deref().unwrap_or("no name yet")),
    }
}

fn add(start: &Start, db: &AccountDb, id: &str, name: &str) -> Result<(), Failure> {
    let id = wording::person(id)?;
    let name = wording::name(name)?;
    let known = db.contact(&id)?.unwrap_or_else(|| Contact::new(id, now()));
    let contact = Contact { petname: Some(name.to_owned()), approved: true, ..known };
    db.put_contact(&contact)?;
    show(start, db, &id, &format!("'{name}' is {id}."))
}

fn rename(start: &Start, db: &AccountDb, who: &str, name: &str) -> Result<(), Failure> {
    let id = wording::peer(db, who)?;
    let name = wording::name(name)?;
    db.rename_contact(&id, Some(name))?;
    show(start, db, &id, &format!("'{name}' is {id}."))
}

fn remove(start: &Start, db: &AccountDb, who: &str) -> Result<(), Failure> {
    let id = wording::peer(db, who)?;
    db.remove_contact(&id)?;
    let value = json!({ "account_id": id.to_string(), "removed": true });
    start.output.result(&value, format!("{id} is no contact any more; its messages stay."))
}

fn show(start: &Start, db: &AccountDb, id: &AccountId, text: &str) -> Result<(), Failure> {
    let value = db.contact(id)?.as_ref().map_or(Value::Null, contact_json);
    start.output.result(&value, text)
}

fn contact_json(contact: &Contact) -> Value {
    json!({
        "account_id": contact.id.to_string(),
        "name": contact.petname,
        "calls_themselves": Some(&contact.name).filter(|name| !name.is_empty()),
        "approved": contact.approved,
    })
}
