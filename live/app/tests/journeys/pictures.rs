//! What people and groups look like, from the command line.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use serde_json::Value;

use crate::device::Device;
use crate::network::Place;

/// What an image says of where it was taken.
const MARK: &[u8] = b"48.8583 N, 2.2945 E";

fn json(device: &Device, arguments: &[&str]) -> Value {
    device.run(&[&["--json"], arguments].concat()).with_code(0).json()
}

fn refused(device: &Device, arguments: &[&str]) -> String {
    device.run(&[&["--json"], arguments].concat()).with_code(1).error_code()
}

/// A photograph of one colour, wider than high, with a comment that tells its place.
fn photograph(at: &Path, colour: [u8; 3]) {
    let image = image::RgbImage::from_pixel(900, 700, image::Rgb(colour));
    let mut bytes = Vec::new();
    image.write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Jpeg).unwrap();
    let length = u16::try_from(MARK.len() + 2).unwrap().to_be_bytes();
    bytes.splice(2..2, [&[0xff, 0xfe], &length[..], MARK].concat());
    fs::write(at, bytes).unwrap();
}

/// What somebody looks like on a device: the sides of the picture, and the colour of its middle.
fn seen(device: &Device, who: &[&str]) -> ((u32, u32), [u8; 3]) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("picture");
    let get = [&["picture", "get"], who, &["--out", out.to_str().unwrap()]].concat();
    json(device, &get);
    let bytes = fs::read(&out).unwrap();
    assert!(!bytes.windows(MARK.len()).any(|part| part == MARK));
    let image = image::load_from_memory(&bytes).unwrap().to_rgb8();
    let (width, height) = image.dimensions();
    ((width, height), image.get_pixel(width / 2, height / 2).0)
}

fn is_like(seen: [u8; 3], colour: [u8; 3]) -> bool {
    seen.iter().zip(colour).all(|(seen, expected)| seen.abs_diff(expected) < 12)
}

#[test]
fn a_picture_is_seen_by_contacts_and_on_the_owners_other_devices_until_it_is_removed() {
    let place = Place::new();
    let network = place.up();
    let (alice, alice_id) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    bob.run(&["contacts", "add", &alice_id, "--name", "al"]).with_code(0);
    let words = alice.run(&["--json", "account", "show", "--mnemonic"]).with_code(0).json();
    let laptop = Device::on(network.seed());
    let words = words["mnemonic"].as_str().unwrap();
    laptop.run_with_input(&["account", "restore"], words).with_code(0);

    let desk = tempfile::tempdir().unwrap();
    let photo = desk.path().join("me.jpg");
    photograph(&photo, [200, 40, 40]);
    let out = desk.path().join("none");
    let none = ["picture", "get", "--out", out.to_str().unwrap()];
    assert_eq!(refused(&alice, &none), "file_missing");
    assert!(!out.exists());
    json(&alice, &["picture", "set", photo.to_str().unwrap()]);
    let (size, colour) = seen(&alice, &[]);
    assert!(size == (640, 640) && is_like(colour, [200, 40, 40]), "{size:?} {colour:?}");

    json(&alice, &["send", &bob_id, "look at me"]);
    bob.run(&["read"]).with_code(0);
    let (size, colour) = seen(&bob, &["al"]);
    assert!(size == (320, 320) && is_like(colour, [200, 40, 40]), "{size:?} {colour:?}");
    laptop.run(&["read"]).with_code(0);
    assert!(is_like(seen(&laptop, &[]).1, [200, 40, 40]));

    // Another, then none.
    photograph(&photo, [40, 40, 200]);
    json(&alice, &["picture", "set", photo.to_str().unwrap()]);
    json(&alice, &["send", "--", &bob_id, "and me"]);
    bob.run(&["read"]).with_code(0);
    assert!(is_like(seen(&bob, &["al"]).1, [40, 40, 200]));
    json(&alice, &["picture", "remove"]);
    json(&alice, &["send", &bob_id, "not me"]);
    bob.run(&["read"]).with_code(0);
    assert_eq!(
        refused(&bob, &["picture", "get", "al", "--out", out.to_str().unwrap()]),
        "file_missing"
    );

    fs::write(&photo, b"no image").unwrap();
    assert_eq!(refused(&alice, &["picture", "set", photo.to_str().unwrap()]), "bad_image");
}

#[test]
fn a_group_has_a_picture_that_its_admins_set() {
    let place = Place::new();
    let network = place.up();
    let (alice, alice_id) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    bob.run(&["contacts", "add", &alice_id, "--name", "al"]).with_code(0);
    json(&alice, &["groups", "create", "runners", &bob_id]);
    assert_eq!(json(&bob, &["groups"])["groups"][0]["picture"], Value::Null);
    let desk = tempfile::tempdir().unwrap();
    let photo = desk.path().join("team.jpg");
    photograph(&photo, [30, 160, 30]);
    let set = ["picture", "set", photo.to_str().unwrap(), "--group", "runners"];
    assert_eq!(refused(&bob, &set), "not_an_admin");
    json(&alice, &set);
    bob.run(&["read"]).with_code(0);
    let told = bob.run(&["read", "--all", "--from", "runners"]).with_code(0).stdout;
    assert!(told.contains("[changed the group's picture]"), "{told}");
    assert!(is_like(seen(&bob, &["runners"]).1, [30, 160, 30]));
    assert!(json(&bob, &["groups"])["groups"][0]["picture"].is_string());
    json(&alice, &["picture", "remove", "--group", "runners"]);
    bob.run(&["read"]).with_code(0);
    assert_eq!(json(&bob, &["groups"])["groups"][0]["picture"], Value::Null);
}
