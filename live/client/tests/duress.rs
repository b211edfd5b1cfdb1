//! What a duress code does beyond the device, on a real local network.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod people;

use people::{World, texts};
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

    let orders = device.orders_to_erase().unwrap();
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
