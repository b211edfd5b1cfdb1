//! Seven members on hosts of their own, under traffic, while something is done to them: nothing
//! acknowledged is lost, nothing deleted comes back, and at the end all keep the same.
//!
//! `FAULT_SECONDS` is how long the traffic of each lasts (default 8).

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test stops at the first surprise, and says what it cannot do"
)]

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use warren_e2e::{Conditions, SwarmOfHosts, hosts};

const MEMBERS: usize = 7;
/// How long members may take until they agree again, in seconds.
const SETTLE: u64 = 150;

/// One swarm at a time: seven processes and their traffic fill a small machine.
static TURN: Mutex<()> = Mutex::const_new(());

/// Waits for its turn; `None` where namespaces cannot be had.
async fn turn() -> Option<MutexGuard<'static, ()>> {
    let turn = TURN.lock().await;
    if let Err(missing) = hosts::available() {
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        eprintln!("not run: {missing}");
        return None;
    }
    Some(turn)
}

fn seconds() -> u64 {
    std::env::var("FAULT_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(8)
}

async fn pause(share: f64) {
    tokio::time::sleep(Duration::from_secs(seconds()).mul_f64(share)).await;
}

fn fair(_: usize) -> Conditions {
    Conditions::default()
}

/// Runs traffic while `fault` is at work, heals, and audits.
async fn under_traffic(swarm: &mut SwarmOfHosts, fault: impl AsyncFnOnce(&mut SwarmOfHosts)) {
    let traffic = swarm.traffic(seconds(), &[]);
    fault(swarm).await;
    let output = traffic.wait_with_output().await.unwrap();
    assert!(output.status.success(), "the traffic ended badly");
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(made["acknowledged"].as_u64().unwrap() > 50, "hardly any traffic: {made}");
    swarm.hosts.heal();
    let found = swarm.audit(SETTLE).await;
    eprintln!("made {made}, found {found}");
    assert!(found["stored"].as_u64().unwrap() > 0, "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_killed_at_random_points_lose_nothing() {
    let Some(_turn) = turn().await else { return };
    let mut swarm = SwarmOfHosts::start(MEMBERS, fair).await;
    under_traffic(&mut swarm, async |swarm| {
        for round in 0..6 {
            pause(0.04 + 0.013 * f64::from(round)).await;
            let dying = (round as usize * 3 + 1) % MEMBERS;
            swarm.kill(dying).await;
            pause(0.03).await;
            swarm.begin(dying, Conditions::default()).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_whose_disk_was_wiped_gets_everything_back() {
    let Some(_turn) = turn().await else { return };
    let mut swarm = SwarmOfHosts::start(MEMBERS, fair).await;
    under_traffic(&mut swarm, async |swarm| {
        pause(0.5).await;
        swarm.kill(2).await;
        swarm.wipe(2);
        pause(0.2).await;
        swarm.begin(2, Conditions::default()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_parts_that_do_not_reach_each_other_agree_when_they_do_again() {
    let Some(_turn) = turn().await else { return };
    let mut swarm = SwarmOfHosts::start(MEMBERS, fair).await;
    under_traffic(&mut swarm, async |swarm| {
        pause(0.2).await;
        swarm.hosts.cut(&[0, 1, 2], &[3, 4, 5, 6]);
        swarm.hosts.cut(&[3, 4, 5, 6], &[0, 1, 2]);
        pause(0.6).await;
        swarm.hosts.heal();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_hears_and_is_not_heard_ends_with_the_same_mail() {
    let Some(_turn) = turn().await else { return };
    let mut swarm = SwarmOfHosts::start(MEMBERS, fair).await;
    under_traffic(&mut swarm, async |swarm| {
        pause(0.2).await;
        swarm.hosts.cut(&[1], &[0, 2, 3, 4, 5, 6]);
        swarm.hosts.cut(&[2, 3, 4], &[5]);
        pause(0.6).await;
        swarm.hosts.heal();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_that_are_lost_cost_time_and_nothing_else() {
    let Some(_turn) = turn().await else { return };
    let mut swarm = SwarmOfHosts::start(MEMBERS, fair).await;
    under_traffic(&mut swarm, async |swarm| {
        pause(0.1).await;
        swarm.hosts.lose(10);
        pause(0.8).await;
        swarm.hosts.heal();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_minutes_off_do_not_bring_deleted_messages_back() {
    let Some(_turn) = turn().await else { return };
    let clocks = |member: usize| match member {
        1 => Conditions { clock: Some("+5m".to_owned()), ..Conditions::default() },
        4 => Conditions { clock: Some("-5m".to_owned()), ..Conditions::default() },
        _ => Conditions::default(),
    };
    let mut swarm = SwarmOfHosts::start(MEMBERS, clocks).await;
    under_traffic(&mut swarm, async |swarm| {
        pause(0.3).await;
        swarm.kill(1).await;
        pause(0.2).await;
        swarm.begin(1, clocks(1)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_disk_holds_nobody_up_for_long() {
    let Some(_turn) = turn().await else { return };
    let slow = |member: usize| Conditions {
        slow_disk: (member == 3).then_some(100),
        ..Conditions::default()
    };
    let mut swarm = SwarmOfHosts::start(MEMBERS, slow).await;
    under_traffic(&mut swarm, async |_| {}).await;
}
