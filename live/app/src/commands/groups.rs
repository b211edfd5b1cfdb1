//! `warren groups`: fetched, then listed, made, joined, led, left and ended.

use axum::http::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::message::{fetch, report};
use crate::api::AccountApi;
use crate::api::groups::{
    Group, GroupChange, GroupState, Groups, Invitation, Member, Members, NewGroup, Promotion,
    Removal, Standing,
};
use crate::cli::{GroupsArgs, GroupsCommand, SureArg};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::start::Start;
use crate::wording::{count, local_time, person_shown, short_id};
use crate::{people, terminal_text};

/// Carries the command out.
///
/// # Errors
/// Where there is no such group, somebody is not known, or the account is no admin. A network that
/// cannot be reached is no error: the change waits, and what is on this device is shown.
pub async fn run(start: &Start, args: GroupsArgs) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let command = args.command.unwrap_or(GroupsCommand::List);
    // Nobody needs to hear of others' groups to make one.
    let is_told = !matches!(command, GroupsCommand::Create { .. });
    let answers = !is_told || args.offline || fetch(&account, start.output).await?;
    let done = Of { account, output: start.output }.run(command).await?;
    Ok(if answers || done != Exit::Done { done } else { Exit::Offline })
}

/// The groups of an account.
struct Of {
    account: AccountApi,
    output: Output,
}

impl Of {
    async fn run(&self, command: GroupsCommand) -> Result<Exit, Failure> {
        use GroupsCommand as Do;
        match command {
            Do::List => self.list().await,
            Do::Create { name, members } => self.create(name, &members).await,
            Do::Show(which) => self.show(&which.group).await,
            Do::Members(which) => self.members(&which.group).await,
            Do::Invite { whom, history } => {
                let people = people::all(&self.account, &whom.people).await?;
                let what = Invitation { people, history };
                self.change_members(&whom.group, "members", &what, "Invited").await
            }
            Do::Promote(whom) => {
                let people = people::all(&self.account, &whom.people).await?;
                self.change_members(&whom.group, "admins", &Promotion { people }, "Promoted").await
            }
            Do::Remove { whom, with_messages } => {
                let people = people::all(&self.account, &whom.people).await?;
                let what = Removal { people, messages: with_messages };
                self.change_members(&whom.group, "remove", &what, "Removed").await
            }
            Do::Accept(which) => self.accept(&which.group).await,
            Do::Decline(which) => self.decline(&which.group).await,
            Do::Rename { which, name } => {
                let change = GroupChange { name: Some(name), ..GroupChange::default() };
                self.change(&which.group, &change).await
            }
            Do::Describe { which, text } => {
                let description = Some(text.join(" "));
                self.change(&which.group, &GroupChange { description, ..GroupChange::default() })
                    .await
            }
            Do::Timer { which, time, .. } => {
                let change =
                    GroupChange { timer: Some(time.unwrap_or(0)), ..GroupChange::default() };
                self.change(&which.group, &change).await
            }
            Do::Leave(which) => self.leave(&which).await,
            Do::Destroy(which) => self.destroy(&which).await,
        }
    }

    async fn list(&self) -> Result<Exit, Failure> {
        let Groups { groups } = self.account.get("groups").await?;
        let mut lines: Vec<String> = groups.iter().map(line).collect();
        if lines.is_empty() {
            lines.push("There is no group here: `warren groups create NAME` makes one.".to_owned());
        }
        self.output.result(&json!({ "groups": groups }), lines.join("\n"))?;
        Ok(Exit::Done)
    }

    async fn create(&self, name: String, members: &[String]) -> Result<Exit, Failure> {
        let new = NewGroup { name, members: people::all(&self.account, members).await? };
        let group: Group = self.account.send(Method::POST, "groups", &new).await?;
        let text = format!(
            "The group '{}' is made, {} invited.\n\n  Its id  {}\n",
            terminal_text::line(&group.name),
            count(new.members.len(), "person").replace("persons", "people"),
            group.group_id,
        );
        report(&self.account, self.output, value(&group), &text).await
    }

    async fn show(&self, group: &str) -> Result<Exit, Failure> {
        let id = people::group(&self.account, group).await?;
        let group: Group = self.account.get(&format!("groups/{id}")).await?;
        let text = self.text(&group).await?;
        self.output.result(&value(&group), text)?;
        Ok(Exit::Done)
    }

    async fn text(&self, group: &Group) -> Result<String, Failure> {
        let mut lines = vec![line(group)];
        if let Some(description) = &group.description {
            lines.push(format!("  {}", terminal_text::block(description, "  ")));
        }
        if let Some(created) = group.created {
            lines.push(format!("  made at {}", local_time(created)));
        }
        if let Some(inviter) = &group.invited_by {
            let inviter = people::shown(&self.account, inviter).await?;
            lines.push(format!("  you were invited by {inviter}"));
        }
        lines.push(match group.timer {
            Some(seconds) => format!("  messages disappear {seconds} s after they are sent"),
            None => "  messages stay".to_owned(),
        });
        Ok(lines.join("\n"))
    }

    async fn members(&self, group: &str) -> Result<Exit, Failure> {
        let id = people::group(&self.account, group).await?;
        let Members { members } = self.account.get(&format!("groups/{id}/members")).await?;
        let mut lines = Vec::new();
        for member in &members {
            lines.push(self.member_line(member).await?);
        }
        self.output.result(&json!({ "group": id, "members": members }), lines.join("\n"))?;
        Ok(Exit::Done)
    }

    async fn member_line(&self, member: &Member) -> Result<String, Failure> {
        let id = &member.account_id;
        let name = if *id == self.account.account.account_id {
            "you".to_owned()
        } else {
            let contact = self.account.find(id).await?.contact;
            let is_named = contact.as_ref().is_some_and(|contact| contact.name.is_some());
            match &member.name {
                Some(name) if !is_named => {
                    format!("{} ({})", terminal_text::line(name), short_id(id))
                }
                _ => person_shown(id, contact.as_ref()),
            }
        };
        let standing = match member.standing {
            Standing::ToBeInvited => "still to be invited",
            Standing::Invited => "invited",
            Standing::Member => "member",
            Standing::Promoted => "admin, and does not know it yet",
            Standing::Admin => "admin",
            Standing::Leaving => "being removed",
        };
        Ok(format!("{id}  {name}  {standing}"))
    }

    async fn change_members(
        &self,
        group: &str,
        what: &str,
        change: &impl Serialize,
        done: &str,
    ) -> Result<Exit, Failure> {
        let id = people::group(&self.account, group).await?;
        let path = format!("groups/{id}/{what}");
        let Members { members } = self.account.send(Method::POST, &path, change).await?;
        let value = json!({ "group": id, "members": members });
        report(&self.account, self.output, value, &format!("{done}.")).await
    }

    async fn accept(&self, group: &str) -> Result<Exit, Failure> {
        let id = people::group(&self.account, group).await?;
        let path = format!("groups/{id}/accept");
        self.changed(self.account.send(Method::POST, &path, &()).await?).await
    }

    async fn change(&self, group: &str, change: &GroupChange) -> Result<Exit, Failure> {
        let id = people::group(&self.account, group).await?;
        let path = format!("groups/{id}");
        self.changed(self.account.send(Method::PATCH, &path, change).await?).await
    }

    async fn changed(&self, group: Group) -> Result<Exit, Failure> {
        let text = self.text(&group).await?;
        report(&self.account, self.output, value(&group), &text).await
    }

    async fn decline(&self, group: &str) -> Result<Exit, Failure> {
        let id = people::group(&self.account, group).await?;
        let name = people::shown(&self.account, &id).await?;
        self.account.tell(Method::POST, &format!("groups/{id}/decline"), &()).await?;
        let value = json!({ "group": id, "done": "decline" });
        report(&self.account, self.output, value, &format!("Declined: {name}.")).await
    }

    async fn leave(&self, which: &SureArg) -> Result<Exit, Failure> {
        let id = people::group(&self.account, &which.group).await?;
        let name = people::shown(&self.account, &id).await?;
        if !which.yes {
            return Err(Failure::LeavesGroup(name));
        }
        self.account.tell(Method::POST, &format!("groups/{id}/leave"), &()).await?;
        let value = json!({ "group": id, "done": "leave" });
        report(&self.account, self.output, value, &format!("You left {name}.")).await
    }

    async fn destroy(&self, which: &SureArg) -> Result<Exit, Failure> {
        let id = people::group(&self.account, &which.group).await?;
        let name = people::shown(&self.account, &id).await?;
        if !which.yes {
            return Err(Failure::EndsGroup(name));
        }
        self.account.tell(Method::DELETE, &format!("groups/{id}"), &()).await?;
        let value = json!({ "group": id, "done": "destroy" });
        report(&self.account, self.output, value, &format!("Ended: {name}.")).await
    }
}

fn line(group: &Group) -> String {
    let standing = match group.state {
        GroupState::Invited => "  (invited: `warren groups accept`, or `decline`)",
        GroupState::Joined if group.admin => "  (admin)",
        GroupState::Joined => "",
        GroupState::Removed => "  (you were removed)",
        GroupState::Ended => "  (ended)",
        GroupState::Left => "  (left)",
    };
    format!("{}  {}{standing}", group.group_id, terminal_text::line(&group.name))
}

fn value(group: &Group) -> Value {
    serde_json::to_value(group).unwrap_or_default()
}
