//! Nodes that die or hang: what was acknowledged is there, and the others go on.

use std::time::{Duration, Instant};

use crate::network::Client;
use crate::person::Person;
use crate::program::Processes;

#[tokio::test]
async fn an_acknowledged_message_survives_kill_and_the_others_go_on_meanwhile() {
    let mut nodes = Processes::start(4).await;
    let (client, person) = (Client::new(), Person::new());
    let [dying, living] = [0, 1].map(|number: usize| nodes.records[number].clone());
    client.done(&dying, "store", person.store(b"acknowledged")).await;
    nodes.kill(0).await;

    let started = Instant::now();
    let answer = client.done(&living, "store", person.store(b"meanwhile")).await;
    assert!(started.elapsed() < Duration::from_millis(2_900), "{:?}", started.elapsed());
    let swarm = answer["swarm"].as_object().unwrap();
    for record in &nodes.records {
        let failed = swarm[&record.id.to_string()].get("failed").is_some();
        assert_eq!(failed, record.id == dying.id);
    }
    assert_eq!(person.texts(&client, &living, 0).await, ["acknowledged", "meanwhile"]);

    nodes.restart(0).await;
    let texts = person.texts(&client, &dying, 0).await;
    assert_eq!(texts, ["acknowledged", "meanwhile"], "what it missed it asks the others for");
    // Until it is known to be back, nobody waits for it.
    let waited = Instant::now();
    loop {
        let answer = client.done(&living, "store", person.store(b"again")).await;
        if answer["swarm"][dying.id.to_string()].get("failed").is_none() {
            break;
        }
        assert!(waited.elapsed() < Duration::from_secs(30), "{answer}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(person.texts(&client, &dying, 0).await, ["acknowledged", "meanwhile", "again"]);
}

/// Other clients give a store five seconds and then send it to the next node.
#[tokio::test]
async fn a_member_that_hangs_does_not_hold_a_store_up_for_as_long_as_clients_wait() {
    let nodes = Processes::start(4).await;
    let (client, person) = (Client::new(), Person::new());
    client.done(&nodes.records[1], "store", person.store(b"connected")).await;
    nodes.signal(0, "STOP").await;
    let started = Instant::now();
    let answer = client.done(&nodes.records[1], "store", person.store(b"hung")).await;
    assert!(started.elapsed() < Duration::from_millis(4_900), "{:?}", started.elapsed());
    let entry = &answer["swarm"][nodes.records[0].id.to_string()];
    assert_eq!((&entry["failed"], &entry["timeout"]), (&true.into(), &true.into()));
    nodes.signal(0, "CONT").await;
}
