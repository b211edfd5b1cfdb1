//! Pictures of people and groups on a real local network whose nodes keep files, and clocks that step.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod people;

use std::io::Cursor;

use people::World;
use warren_client::Messenger;
use warren_client::attachments::AttachmentError;
use warren_wire::AccountId;

const DAY: i64 = 24 * 60 * 60;

/// A photograph of one colour.
fn photograph(colour: [u8; 3]) -> Vec<u8> {
    let image = image::RgbImage::from_pixel(500, 400, image::Rgb(colour));
    let mut bytes = Vec::new();
    image.write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
    bytes
}

/// The colour of somebody's picture as a device has it.
fn seen(device: &Messenger, whom: &AccountId) -> Option<[u8; 3]> {
    let picture = device.picture_of(whom).unwrap()?;
    Some(image::load_from_memory(&picture).unwrap().to_rgb8().get_pixel(9, 9).0)
}

fn is_like(seen: Option<[u8; 3]>, colour: [u8; 3]) -> bool {
    seen.is_some_and(|seen| seen.iter().zip(colour).all(|(seen, want)| seen.abs_diff(want) < 12))
}

fn url(device: &Messenger, whom: &AccountId) -> String {
    device.db().with(|db| db.picture(whom)).unwrap().unwrap().url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_outlives_its_time_at_the_server_and_comes_back_where_it_was_lost() {
    let world = World::new().await;
    let alice = world.person("Alice");
    let (phone, own) = (&alice.phone, alice.id);
    phone.set_picture(photograph([200, 30, 30])).await.unwrap();
    phone.push_configs().await.unwrap();
    let stored =
        |device: &Messenger| device.db().with(|db| db.picture(&own)).unwrap().unwrap().stored_at;
    let (before, first) = (url(phone, &own), stored(phone));
    phone.tend_pictures().await.unwrap();
    assert_eq!(stored(phone), first, "a fresh one is left alone");
    world.ahead.step(8 * DAY);
    phone.tend_pictures().await.unwrap();
    assert!(stored(phone) > first);
    assert_eq!(url(phone, &own), before, "the server keeps it on");

    // A server that has it no longer gets it again, and the other device learns where it is.
    let known = phone.db().with(|db| db.picture(&own)).unwrap().unwrap();
    let (place, image) = (before.rsplit_once("/file/").unwrap(), known.image.clone().unwrap());
    let (_, fragment) = place.1.split_once('#').unwrap();
    let lost = format!("{}/file/{}#{fragment}", place.0, "A".repeat(44));
    phone.db().with(|db| db.keep_picture(&own, (&lost, &known.key), &image, 1)).unwrap();
    phone.tend_pictures().await.unwrap();
    let again = url(phone, &own);
    assert!(again != lost && again != before);
    phone.push_configs().await.unwrap();
    alice.laptop.receive().await.unwrap();
    assert_eq!(url(&alice.laptop, &own), again);
    alice.laptop.tend_pictures().await.unwrap();
    assert!(is_like(seen(&alice.laptop, &own), [200, 30, 30]));
    world.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_of_strangers_are_not_fetched_and_those_that_fail_are_tried_later() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    alice.phone.set_picture(photograph([30, 30, 200])).await.unwrap();
    alice.phone.send(&bob.id, "it is me").await.unwrap();
    bob.phone.sync().await.unwrap();
    assert_eq!(seen(&bob.phone, &alice.id), None, "a stranger's address is not followed");
    bob.phone.accept_request(&alice.id).unwrap();
    // The address leads nowhere for a while.
    let known = bob.phone.db().with(|db| db.picture(&alice.id)).unwrap().unwrap();
    let broken = known.url.replace("/file/", "/file/AAAA");
    let key = known.key.expose().to_vec();
    let want = |url: &str| {
        bob.phone.db().with(|db| db.want_picture(&alice.id, Some((url, &key)), 1)).unwrap();
    };
    want(&broken);
    bob.phone.tend_pictures().await.unwrap();
    let failed = bob.phone.db().with(|db| db.picture(&alice.id)).unwrap().unwrap();
    assert_eq!((failed.attempts, seen(&bob.phone, &alice.id)), (1, None));
    let now = bob.phone.now();
    assert!(bob.phone.db().with(|db| db.wanted_pictures(now, 9)).unwrap().is_empty());
    world.ahead.step(DAY);
    let now = bob.phone.now();
    assert_eq!(bob.phone.db().with(|db| db.wanted_pictures(now, 9)).unwrap().len(), 1);
    want(&known.url);
    bob.phone.tend_pictures().await.unwrap();
    assert!(is_like(seen(&bob.phone, &alice.id), [30, 30, 200]));

    let refused = bob.phone.set_picture(b"no image".to_vec()).await.unwrap_err();
    assert_eq!(refused.code(), warren_client::ClientError::from(AttachmentError::Image).code());
    world.network.stop().await;
}
