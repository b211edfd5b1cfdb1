//! A duress code that reaches further than its device: other devices, and mail that waits.

use crate::daemon::eventually;
use crate::device::{Device, Ended};
use crate::network::{Network, Place};

const DURESS: &str = "2580";

/// Ada's two devices, of which the second trusts the first, and somebody who wrote to her.
struct Scene {
    phone: Device,
    laptop: Device,
    words: String,
    network: Network,
    _place: Place,
}

impl Scene {
    fn new() -> Self {
        let place = Place::new();
        let network = place.up();
        let (phone, id) = Device::with_account(network.seed(), "ada");
        let shown = phone.run(&["--json", "account", "show", "--mnemonic"]).with_code(0).json();
        let words = shown["mnemonic"].as_str().unwrap().to_owned();
        let laptop = Device::on(network.seed());
        laptop.run_with_input(&["account", "restore", "--name", "ada"], &words).with_code(0);
        let (ben, _) = Device::with_account(network.seed(), "ben");
        ben.run(&["send", &id, "it is out"]).with_code(0);
        Self { phone, laptop, words, network, _place: place }
    }

    /// A command with the duress code, to be set or to be typed.
    fn duress(&self, variable: &str, arguments: &[&str]) -> Ended {
        self.phone.command(arguments).env(variable, DURESS).output().unwrap().into()
    }
}

fn set() -> [&'static str; 7] {
    ["--json", "lock", "duress", "set", "--pin", "--tell-devices", "--delete-mail"]
}

#[test]
fn a_duress_code_wipes_other_devices_and_empties_the_mailbox_behind_its_answer() {
    let scene = Scene::new();
    let refused = scene.duress("WARREN_NEW_CODE", &set()).with_code(1);
    assert_eq!(refused.error_code(), "no_device_to_tell");
    scene.laptop.run(&["friends", "trust", "--own-devices", "--device", "laptop"]).with_code(0);
    scene.laptop.run(&["sync"]).with_code(0);
    scene.phone.run(&["sync"]).with_code(0);
    let set = scene.duress("WARREN_NEW_CODE", &set()).with_code(0).json();
    assert_eq!((&set["devices"], &set["mailboxes"]), (&1.into(), &1.into()));

    let opened = scene.duress("WARREN_PASSPHRASE", &["--json", "account", "list"]).with_code(0);
    assert_eq!((opened.stderr.as_str(), &opened.json()["accounts"]), ("", &serde_json::json!([])));
    eventually("the laptop is wiped by whatever it does next", || {
        scene.laptop.run(&["sync"]);
        !scene.laptop.folder().join("device/data").exists()
    });
    eventually("no mail waits", || {
        let fresh = Device::on(scene.network.seed());
        fresh.run_with_input(&["account", "restore", "--name", "ada"], &scene.words).with_code(0);
        fresh.texts(&[]).is_empty()
    });
}
