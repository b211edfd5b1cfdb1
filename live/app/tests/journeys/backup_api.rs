//! Backups, faults and updates as an app asks for them, over the API of a daemon.

use std::fs;

use serde_json::{Value, json};

use crate::daemon::{Daemon, asked, eventually};
use crate::device::{Device, PASSPHRASE};

fn ask(daemon: &Daemon, method: &str, path: &str, body: &Value) -> (u16, Value) {
    asked(daemon, method, path, body.to_string().as_bytes())
}

#[track_caller]
fn done(daemon: &Daemon, method: &str, path: &str, body: &Value) -> Value {
    let (status, answer) = ask(daemon, method, path, body);
    assert!((200..300).contains(&status), "{path}: {status} {answer}");
    answer
}

#[track_caller]
fn refused(daemon: &Daemon, method: &str, path: &str, body: &Value) -> (u16, String) {
    let (status, answer) = ask(daemon, method, path, body);
    assert!(!answer.to_string().contains("swordfish"), "{answer}");
    (status, answer["error"]["code"].as_str().unwrap_or_default().to_owned())
}

/// What came of what is done in the background.
fn worked(daemon: &Daemon) -> Value {
    let mut work = Value::Null;
    eventually("the work ends", || {
        work = done(daemon, "GET", "work", &Value::Null);
        work["state"] != "running"
    });
    work
}

#[test]
fn an_app_sets_a_backup_up_makes_verifies_prunes_schedules_and_forgets_it() {
    let device = Device::new();
    device.run(&["account", "create", "--name", "alice"]).with_code(0);
    let place = device.folder().join("place");
    fs::create_dir(&place).unwrap();
    let daemon = Daemon::start(&device, &["--listen", "127.0.0.1:0"]);
    let none = Value::Null;
    assert_eq!(refused(&daemon, "GET", "work", &none), (404, "no_work".to_owned()));
    let bad = json!({ "name": "main", "place": { "type": "webdav", "pasword": "swordfish" } });
    assert_eq!(refused(&daemon, "POST", "backups", &bad), (400, "backup_target".to_owned()));
    let new = json!({ "name": "main", "place": { "type": "folder", "path": place } });
    let made = done(&daemon, "POST", "backups", &new);
    assert_eq!((&made["name"], &made["last_at"]), (&"main".into(), &Value::Null));
    assert_eq!(refused(&daemon, "POST", "backups", &new), (409, "backup_exists".to_owned()));
    let gone = refused(&daemon, "POST", "backups/other/run", &none);
    assert_eq!(gone, (404, "backup_not_set_up".to_owned()));

    let (status, begun) = ask(&daemon, "POST", "backups/main/run", &none);
    assert_eq!((status, &begun["kind"]), (202, &"backup".into()));
    let work = worked(&daemon);
    let snapshot = work["result"]["backup"]["snapshot"].clone();
    assert!(snapshot.is_string(), "{work}");
    let listed = done(&daemon, "GET", "backups", &none);
    assert_eq!(listed["backups"][0]["last_snapshot"], snapshot);
    let lying = done(&daemon, "GET", "backups/main/snapshots", &none);
    assert_eq!(lying["snapshots"][0]["name"], snapshot);
    done(&daemon, "POST", "backups/main/verify", &json!({ "bytes": true }));
    assert_eq!(worked(&daemon)["result"]["verify"]["good"], true);
    let keep = json!({ "keep": { "last": 1, "daily": 0, "weekly": 0, "monthly": 0 } });
    done(&daemon, "POST", "backups/main/run", &none);
    worked(&daemon);
    done(&daemon, "POST", "backups/main/prune", &keep);
    let pruned = worked(&daemon);
    assert_eq!(pruned["result"]["prune"]["removed"], 1, "{pruned}");
    let set = done(&daemon, "PUT", "backups/main/schedule", &json!({ "every_seconds": 86_400 }));
    assert_eq!((&set["every_seconds"], &set["keep"]["last"]), (&86_400.into(), &1.into()));

    // What is damaged is said, by the part.
    let folder = fs::read_dir(&place).unwrap().next().unwrap().unwrap().path();
    fs::remove_dir_all(folder.join("0")).unwrap();
    done(&daemon, "POST", "backups/main/verify", &json!({}));
    let verified = worked(&daemon);
    assert_eq!(verified["result"]["verify"]["good"], false);
    assert!(verified["result"]["verify"]["damaged"][0]["kind"].is_string(), "{verified}");
    done(&daemon, "DELETE", "backups/main", &none);
    assert_eq!(done(&daemon, "GET", "backups", &none)["backups"], json!([]));

    // A locked home tells nothing of it.
    done(&daemon, "POST", "daemon/lock", &none);
    assert_eq!(refused(&daemon, "GET", "backups", &none), (423, "locked".to_owned()));
    assert_eq!(refused(&daemon, "GET", "work", &none), (404, "no_work".to_owned()));
}

#[test]
fn an_app_crosses_a_border_and_brings_the_device_back() {
    let device = Device::new();
    let made = device.run(&["--json", "account", "create", "--name", "alice"]).with_code(0).json();
    let words = made["mnemonic"].as_str().unwrap();
    let place = device.folder().join("place");
    fs::create_dir(&place).unwrap();
    device.run(&["backup", "init", "--folder", place.to_str().unwrap()]).with_code(0);
    let mut daemon = Daemon::start(&device, &["--listen", "127.0.0.1:0"]);
    let wipe = |more: Value| {
        let mut wipe = json!({ "confirm": "wipe" });
        wipe.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        wipe
    };
    let early = refused(&daemon, "POST", "border/wipe", &wipe(json!({ "words_known": true })));
    assert_eq!(early, (409, "border_not_ready".to_owned()));
    done(&daemon, "POST", "border", &json!({}));
    let work = worked(&daemon);
    let account = &work["result"]["border"]["accounts"][0];
    assert_eq!((&account["name"], &account["opens"]), (&"alice".into(), &true.into()), "{work}");
    let phrase: Vec<&str> = words.split(' ').collect();
    let wanted = account["ask"].as_array().unwrap().iter();
    let right: Vec<&str> =
        wanted.map(|at| phrase[usize::try_from(at.as_u64().unwrap()).unwrap() - 1]).collect();
    let id = made["account_id"].as_str().unwrap();
    let given = |words: &[&str]| json!({ "account_id": id, "words": words });
    let wrong = refused(&daemon, "POST", "border/words", &given(&["abbey", "abbey", "abbey"]));
    assert_eq!(wrong, (403, "wrong_words".to_owned()));
    done(&daemon, "POST", "border/words", &given(&right));
    let none = refused(&daemon, "POST", "border/wipe", &wipe(json!({})));
    assert_eq!(none, (409, "words_not_shown".to_owned()));
    let typed = wipe(json!({ "words": { id: right } }));
    let unsure = json!({ "confirm": "yes", "words": { id: right } });
    let unsure = refused(&daemon, "POST", "border/wipe", &unsure);
    assert_eq!(unsure, (400, "not_confirmed".to_owned()));

    // What changed since the trial is in no backup.
    let friend = Device::new().run(&["--json", "account", "create"]).with_code(0).json();
    let friend = friend["account_id"].as_str().unwrap();
    device.run(&["contacts", "add", friend, "--name", "bob"]).with_code(0);
    let changed = refused(&daemon, "POST", "border/wipe", &typed);
    assert_eq!(changed, (409, "border_changed".to_owned()));
    done(&daemon, "POST", "border", &json!({}));
    worked(&daemon);
    let wiped = done(&daemon, "POST", "border/wipe", &wipe(json!({ "words_known": true })));
    assert_eq!((&wiped["keys"], &wiped["data"]), (&true.into(), &true.into()));
    assert_eq!(daemon.child.wait().unwrap().code(), Some(0));

    // On the other side: an app over a home that has no account.
    let other = Device::new();
    other.run(&["account", "create", "--name", "passing"]).with_code(0);
    other.run(&["account", "remove", "passing", "--yes"]).with_code(0);
    let daemon = Daemon::start(&other, &["--listen", "127.0.0.1:0"]);
    let target = json!({ "type": "folder", "path": place });
    let restore =
        json!({ "place": target, "words": words, "passphrase": PASSPHRASE, "snapshot": null });
    done(&daemon, "POST", "restore", &restore);
    let work = worked(&daemon);
    assert_eq!(work["result"]["restore"]["accounts"], json!([id]), "{work}");
    let contacts = done(&daemon, "GET", &format!("accounts/{id}/contacts"), &Value::Null);
    assert!(contacts.to_string().contains("bob"), "{contacts}");
    let again = refused(&daemon, "POST", "restore", &restore);
    assert_eq!(again, (409, "vault".to_owned()));
}

#[test]
fn reports_of_faults_are_shown_and_deleted_and_updates_are_looked_for_only_when_asked() {
    let device = Device::new();
    device.run(&["account", "create"]).with_code(0);
    let report = json!({
        "version": "0.1.0", "machine": "linux x86_64", "place": "live/app/src/lib.rs:1",
        "message": "a literal", "functions": ["warren::run"],
    });
    let crashes = device.folder().join("device/crashes");
    fs::create_dir(&crashes).unwrap();
    fs::write(crashes.join("1.json"), report.to_string()).unwrap();
    let daemon = Daemon::start(&device, &["--listen", "127.0.0.1:0"]);
    let none = Value::Null;
    let key =
        json!({ "from": "https://1.2.3.4:1/file/x", "signature": "https://1.2.3.4:1/file/y" });
    let unsigned = refused(&daemon, "POST", "update/check", &key);
    assert_eq!(unsigned, (400, "update".to_owned()), "this build names no key to believe");

    done(&daemon, "POST", "daemon/lock", &none);
    let listed = done(&daemon, "GET", "crashes", &none);
    let line = json!({ "number": 1, "place": "live/app/src/lib.rs:1" });
    assert_eq!(listed["reports"], json!([line]));
    let shown = done(&daemon, "GET", "crashes/1", &none);
    assert_eq!(
        (&shown["message"], &shown["text"]),
        (&"a literal".into(), &report.to_string().into())
    );
    done(&daemon, "DELETE", "crashes/1", &none);
    assert_eq!(refused(&daemon, "GET", "crashes/1", &none), (404, "no_report".to_owned()));
}
