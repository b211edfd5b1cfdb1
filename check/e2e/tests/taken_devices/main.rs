//! Devices are taken: a duress code opens one, a friend wipes the other while it is locked, and what
//! was on them comes back on fresh machines from three shares and a backup.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test stops at the first surprise, and says what it did"
)]

mod back;
mod cast;
mod needles;
mod taken;

use std::time::Instant;

use cast::Story;
use warren_e2e::{Place, disk};

#[tokio::test(flavor = "multi_thread")]
async fn devices_that_are_taken_hold_nothing_and_everything_comes_back() {
    if let Err(missing) = disk::available() {
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        eprintln!("not run: {missing}");
        return;
    }
    let (Some(s3), Some(webdav)) = (Place::s3(), Place::webdav()) else { return };
    let began = Instant::now();
    let done = |what: &str| eprintln!("{:6.1} s  {what}", began.elapsed().as_secs_f64());
    let mut story = Story::begin().await;
    done("Ada has a phone and a laptop, Ben is her friend");
    story.they_talk().await;
    done("they talked");
    let shares = story.the_phrase_is_split().await;
    story.back_up(&[("bucket", &s3), ("cloud", &webdav)]).await;
    done("the laptop is backed up twice");
    story.ben_is_trusted_with_the_laptop().await;
    done("Ben can wipe the laptop, and tried whether it hears him");
    let needles = story.needles();
    story.both_disks_are_sealed(&needles);

    taken::a_duress_code_is_typed_on_the_phone(&mut story).await;
    done("the phone was opened with the duress code");
    taken::ben_wipes_the_locked_laptop(&mut story).await;
    done("Ben wiped the laptop");
    story.ben.json(&["send", &story.ada, "I did it"]).await;
    let (network, ben) = taken::nothing_is_found_on_either_disk(story, &needles).await;
    done("nothing is on their disks");

    for place in [&s3, &webdav] {
        back::everything_comes_back(&network, &ben, &shares, place).await;
        done("everything came back on a fresh machine");
    }
}
