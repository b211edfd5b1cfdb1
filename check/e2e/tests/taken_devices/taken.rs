//! What happens to the two devices, and what is found on their disks.

use serde_json::json;
use warren_e2e::{AtWork, Network};

use crate::cast::Story;
use crate::needles::Needles;

/// What Ada types when she is made to.
const DURESS: &str = "2580";

/// It opens an empty app, and nothing else opens anything.
pub(crate) async fn a_duress_code_is_typed_on_the_phone(story: &mut Story) {
    let phone = &story.phone;
    phone.json_with(&["lock", "duress", "set", "--pin"], &[("WARREN_NEW_CODE", DURESS)]).await;
    phone.json(&["lock"]).await;
    phone.json_with(&["unlock"], &[("WARREN_PASSPHRASE", DURESS)]).await;
    assert_eq!(phone.json(&["account", "list"]).await["accounts"], json!([]));
    phone.json(&["lock"]).await;
    assert_eq!(phone.refused_with(5, &["unlock"]).await, "wrong_passphrase");
    story.phone.kill().await;
}

/// Two steps of Ben's, and nobody at the laptop does anything.
pub(crate) async fn ben_wipes_the_locked_laptop(story: &mut Story) {
    let Story { laptop, ben, ada, .. } = story;
    let before = std::fs::read(laptop.home().join("slots")).unwrap();
    laptop.json(&["lock"]).await;
    let first = ben.json(&["friends", "wipe", ada]).await;
    assert!(laptop.home().join("slots").exists(), "one step does nothing");
    let code = first["code"].as_str().unwrap();
    ben.json(&["friends", "wipe", ada, "--confirm", code]).await;
    let gone = async |laptop: &AtWork| {
        let slots = std::fs::read(laptop.home().join("slots")).unwrap_or_default();
        (slots != before && !laptop.home().join("data").exists()).then_some(())
    };
    laptop.until("the laptop is wiped", gone).await;
    // It goes on as any fresh install does.
    laptop
        .until("it answers", async |laptop| {
            let answer = laptop.try_json(&["unlock"]).await;
            answer.contains("no_vault").then_some(())
        })
        .await;
    story.laptop.kill().await;
}

/// Neither a word, nor a name, nor the seed, nor a piece of the slots, in files or between them.
pub(crate) async fn nothing_is_found_on_either_disk(
    story: Story,
    needles: &Needles,
) -> (Network, AtWork) {
    let Story { network, phone_disk, laptop_disk, phone, laptop, ben, .. } = story;
    for (disk, device) in [(phone_disk, &phone), (laptop_disk, &laptop)] {
        let image = disk.read();
        assert_eq!(needles.secrets_on(&image), Vec::<String>::new(), "{}", device.what());
        assert_eq!(needles.slots_on(&image), 0, "{}: pieces of slots", device.what());
    }
    (network, ben)
}
