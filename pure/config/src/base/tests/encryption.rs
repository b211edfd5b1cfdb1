//! Published vectors of encryption and padding (libsession's test_encrypt, test_config_userprofile).

use proptest::prelude::*;
use warren_crypto::Secret;

use crate::base::seal::{OVERHEAD, compress, decompress, open, pad, padded_size, seal, unpad};

fn key(hex: &str) -> Secret<32> {
    Secret::from_slice(&hex::decode(hex).unwrap()).unwrap()
}

#[test]
fn encryption_gives_the_published_bytes() {
    let key1 = key("abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789");
    let key2 = key("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    let sealed = seal(b"some message 1", &key1, "test-suite1").unwrap();
    assert_eq!(
        hex::encode(&sealed),
        "f14f242a26638f3305707d1035e734577f943cd7d28af58e32637e\
         0966dcaf2f4860cb4d0f8ba7e09d29e31f5e4a18f65847287a54a0"
    );
    let other = seal(b"some message 1", &key1, "test-suite2").unwrap();
    assert!(hex::encode(&other).ends_with("277e639d36ba46470dfff509a68cb73d9a96386c51739bdd"));
    let third = seal(b"some message 1", &key2, "test-suite1").unwrap();
    assert!(hex::encode(&third).ends_with("af2f4860cb4d0f8ba7e09d29e31f5e4a18f65847287a54a0"));

    assert_eq!(open(&sealed, &key1, "test-suite1").unwrap(), b"some message 1");
    assert!(open(&sealed, &key1, "test-suite2").is_err());
    assert!(open(&sealed, &key2, "test-suite1").is_err());
    let mut broken = sealed;
    broken[3] = 0x42;
    assert!(open(&broken, &key1, "test-suite1").is_err());
}

#[test]
fn sizes_are_padded_as_published() {
    const KIB: usize = 1024;
    for (size, overhead, padded) in [
        (1, 0, 256),
        (1, 10, 246),
        (246, 10, 246),
        (247, 10, 502),
        (247, 256, 256),
        (3839, 96, 4000),
        (3744, 96, 3744),
        (3745, 96, 4000),
        (4864, 0, 4864),
        (4865, 0, 5 * KIB),
        (5 * KIB + 1, 0, 6 * KIB),
        (9 * KIB, 0, 9 * KIB),
        (9 * KIB + 1, 0, 10 * KIB),
        (10 * KIB + 1, 0, 11 * KIB),
        (20 * KIB, 0, 20 * KIB),
        (20 * KIB + 1, 0, 22 * KIB),
        (38 * KIB, 0, 38 * KIB),
        (38 * KIB + 1, 0, 40 * KIB),
        (40 * KIB + 1, 0, 45 * KIB),
        (45 * KIB + 1, 0, 50 * KIB),
        (70 * KIB, 0, 70 * KIB),
        (70 * KIB + 1, 0, 75 * KIB),
        (75 * KIB, 0, 75 * KIB),
        (75 * KIB - 24, 24, 75 * KIB - 24),
    ] {
        assert_eq!(padded_size(size, overhead), padded, "{size} {overhead}");
    }
}

#[test]
fn what_unfolds_without_end_is_refused() {
    let bomb = compress([b"d".as_slice(), &vec![b'0'; 17 * 1024 * 1024]].concat());
    assert!(bomb.len() < 10_000);
    assert_eq!(decompress(&bomb), None);
}

#[test]
fn an_unknown_kind_of_body_is_refused() {
    for body in [&b""[..], b"x", b"l", b"z", b"zabc", &[0xff]] {
        assert_eq!(decompress(body), None, "{body:?}");
    }
}

proptest! {
    #[test]
    fn a_message_survives_compression_and_padding(tail: Vec<u8>, zeros in 0_usize..3000) {
        let message = [b"d".as_slice(), &tail, &vec![0; zeros]].concat();
        let padded = pad(&compress(message.clone()));
        prop_assert_eq!((padded.len() + OVERHEAD) % 256, 0);
        prop_assert_eq!(decompress(unpad(&padded)).unwrap(), message);
    }

    #[test]
    fn any_bytes_open_as_a_message_or_not_at_all(bytes: Vec<u8>) {
        let key = Secret::from_slice(&[7; 32]).unwrap();
        let _ = open(&bytes, &key, "Contacts");
        let _ = decompress(&bytes);
        let _ = decompress(&[b"z".as_slice(), &bytes].concat());
    }
}
