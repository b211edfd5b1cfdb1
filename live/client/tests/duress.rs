//! What a duress code does beyond the device, on a real local network.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod people;

use std::time::Duration;

use people::{World, texts};
use warren_client::friends::trust::Trust;
use warren_client::tripwire::Inbox;
use warren_client::vault::{CodeKind, DuressOrders};
use warren_client::{Device, duress};

const CODE: &str = "2580";

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_waited_for_all_accounts_of_a_device_is_gone_after_its_duress_code() {
    let world = World::new().await;
    let friend = world.person("friend");
    let home = world.home("taken");
    let mut device = world.device(&home);
    let accounts = ["first", "second"].map(|name| device.create_account(name, Some(name)).unwrap());
    for (entry, _) in &accounts {
        friend.phone.save_text(&entry.id, "it is out").unwrap();
    }
    friend.phone.deliver_waiting().await.unwrap();
    let [first, second] = accounts.map(|(entry, words)| (entry.id, words.expose().to_owned()));
    let before = world.restored("before", &first.1);
    before.receive().await.unwrap();
    assert_eq!(texts(&before, &friend.id), ["it is out"], "it waits for every device");

    let orders = device.duress_orders(false, true).unwrap();
    let master = device.other_master().unwrap();
    let code = (CodeKind::Pin, CODE);
    device.vault().set_duress("passphrase", code, master, &orders).unwrap();
    drop(device);
    let mut opened = Device::unlock(&home, CODE).unwrap();
    let orders = opened.take_orders();
    assert_eq!((orders.mailboxes.len(), opened.accounts().unwrap().len()), (2, 0));
    assert_eq!(duress::carry_out(orders).await, (2, 2));
    for (number, (_, words)) in [first, second].iter().enumerate() {
        let after = world.restored(&format!("after-{number}"), words);
        after.receive().await.unwrap();
        assert_eq!(texts(&after, &friend.id), Vec::<String>::new());
    }
}

#[tokio::test]
async fn orders_for_a_network_that_is_none_end_at_once() {
    let orders = DuressOrders { network: "nowhere".to_owned(), ..DuressOrders::default() };
    assert_eq!(duress::carry_out(orders).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_trusts_its_accounts_others_is_told_to_wipe() {
    let world = World::new().await;
    let (taken, left) = (world.home("taken"), world.home("left"));
    let mut device = world.device(&taken);
    let (entry, words) = device.create_account("ada", Some("Ada")).unwrap();
    let none = device.duress_orders(true, true).unwrap_err();
    assert_eq!(none.code(), "no_device_to_tell");
    let mut other = world.device(&left);
    other.restore_account(words.expose(), "ada", None).unwrap();
    let trust =
        Trust { friends: Vec::new(), own_devices: true, threshold: 1, device: "laptop".to_owned() };
    let at_work = other.messenger(None).unwrap();
    other.trust(&at_work, &trust).unwrap();
    at_work.deliver_waiting().await.unwrap();
    device.messenger(None).unwrap().receive().await.unwrap();

    let orders = device.duress_orders(true, false).unwrap();
    assert_eq!((orders.devices.len(), orders.mailboxes.len()), (1, 0));
    let (master, code) = (device.other_master().unwrap(), (CodeKind::Pin, CODE));
    device.vault().set_duress("passphrase", code, master, &orders).unwrap();
    drop((device, at_work, other, entry));
    let orders = Device::unlock(&taken, CODE).unwrap().take_orders();
    assert_eq!(duress::carry_out(orders).await, (1, 1));
    let inbox = Inbox::open(&left).unwrap().unwrap();
    assert!(inbox.hear(Duration::ZERO).await.unwrap().wipes);
}
