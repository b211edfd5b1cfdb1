//! A fresh machine, three of five shares, and a place.

use std::fs;

use serde_json::Value;
use warren_e2e::{AtWork, Device, Network, Place, Transcript};

use crate::cast::{NICKNAME, file, lines, the_file_on};

/// What was on the devices, and what came since, is there.
pub(crate) async fn everything_comes_back(
    network: &Network,
    ben: &AtWork,
    shares: &[String],
    place: &Place,
) {
    let mut device = Device::empty(&network.seed());
    let two = [&shares[4], &shares[1]].map(String::as_str).join("\n");
    let (code, refused) = device.run(&["--json", "shares", "combine"], &two).await;
    assert!(code == 1 && refused.contains("too_few_shares"), "{refused}");
    let three = [&two, shares[2].as_str()].join("\n");
    let combined = device.json(&["shares", "combine"], &three).await;
    let words = combined["mnemonic"].as_str().unwrap();
    let description = device.folder().join("place.json");
    fs::write(&description, place.described.to_string()).unwrap();
    let restore = ["backup", "restore", "--place", description.to_str().unwrap()];
    device.json(&restore, words).await;
    device.id = combined["account_id"].as_str().unwrap().to_owned();
    let fresh = AtWork::begun(device, "the fresh machine").await;

    let ada = fresh.id().to_owned();
    let names = |id: &Value| if id == ada.as_str() { "Ada" } else { "Ben" }.to_owned();
    let mut expected = lines();
    expected.push("Ben: I did it".to_owned());
    Transcript::becomes(&fresh, ben.id(), &names, &expected).await;
    assert!(the_file_on(&fresh, ben.id()).await == file());
    fresh.until_is(&format!("contacts/{}", ben.id()), "/name", NICKNAME).await;
}
